import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type RequestListener, type Server } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isSigned } from './sigv4.js';

interface S3rver {
  run(): Promise<AddressInfo>;
  close(): Promise<void>;
}

const S3rver = createRequire(import.meta.url)('s3rver') as new (options: object) => S3rver;
const BUCKET = 'files';
/** The only key that s3rver knows, its id and its secret. */
const KEY = 'S3RVER';

/** A store that speaks the protocol of S3, on a port of its own. */
export interface TestS3 {
  /** For the service. */
  environment: Record<string, string>;
  /** What it was asked, method and path. */
  asked: string[];
  /** Answers 503 to everything, and takes it back. */
  setOutage(outage: boolean): void;
  /** Answers nothing at all any more. */
  setSilent(silent: boolean): void;
  close(): Promise<void>;
}

/**
 * s3rver, and before it what it lacks: each request's signature is checked as S3 does, and `If-None-Match: *` as well.
 */
export async function startS3(): Promise<TestS3> {
  const directory = join(tmpdir(), `scalable-api-test-s3-${randomUUID()}`);
  const options = { address: '127.0.0.1', port: 0, silent: true, directory, configureBuckets: [{ name: BUCKET }] };
  const store = new S3rver(options);
  const { port } = await store.run();
  const asked: string[] = [];
  const state = { outage: false, silent: false };
  const gate = await listen((incoming, answer) => {
    const { method = '', url = '' } = incoming;
    asked.push(`${method} ${url.split('?')[0]}`);
    if (state.silent) return;
    const refuse = (status: number) => void incoming.resume().on('end', () => answer.writeHead(status).end());
    if (state.outage) return refuse(503);
    if (!isSigned(partOf(incoming), KEY)) return refuse(403);
    void exists(port, incoming).then((taken) => {
      if (taken) return refuse(412);
      const forwarded = request({ port, host: '127.0.0.1', method, path: url, headers: incoming.headers });
      forwarded.on('response', (response) => {
        answer.writeHead(response.statusCode ?? 500, response.headers);
        // Ends the answer also where the store breaks off, as it may while the object is deleted.
        pipeline(response, answer, () => undefined);
      });
      forwarded.on('error', () => answer.destroy());
      incoming.pipe(forwarded);
    });
  });
  return {
    environment: {
      S3_BUCKET: BUCKET,
      S3_REGION: 'eu-central-1',
      S3_ENDPOINT: `http://127.0.0.1:${(gate.address() as AddressInfo).port}`,
      S3_ACCESS_KEY_ID: KEY,
      S3_SECRET_ACCESS_KEY: KEY,
    },
    asked,
    setOutage: (outage) => (state.outage = outage),
    setSilent: (silent) => (state.silent = silent),
    close: async () => {
      gate.closeAllConnections();
      await new Promise((resolve) => gate.close(resolve));
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

function partOf({ method = '', url = '', headers }: IncomingMessage) {
  const [path = '', search = ''] = url.split('?');
  return { method, path, query: new URLSearchParams(search), headers: headers as Record<string, string | undefined> };
}

/** Whether a condition of the request forbids it, as something is there. */
function exists(port: number, { method, url, headers }: IncomingMessage): Promise<boolean> {
  if (method !== 'PUT' || headers['if-none-match'] !== '*') return Promise.resolve(false);
  return new Promise((resolve, reject) => {
    const asking = request({ port, host: '127.0.0.1', method: 'HEAD', path: url?.split('?')[0] });
    asking.on('response', ({ statusCode }) => resolve(statusCode === 200)).on('error', reject);
    asking.end();
  });
}

async function listen(answer: RequestListener): Promise<Server> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}
