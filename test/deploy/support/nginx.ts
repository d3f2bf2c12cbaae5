import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import {
  type Agent,
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  request,
  type ServerResponse,
} from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { layOutNginx } from '../../../local/nginx-layout.js';
import { run, ToolMissingError } from './tools.js';

export interface Seen {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
}

/** A stand-in for one instance of the service: answers with its number, and remembers what it was sent. */
export interface Replica {
  port: number;
  seen: Seen[];
  connections: number;
  stop(): Promise<void>;
}

/**
 * `breaks-off` takes a request and hangs up without an answer, as a process does that is killed; `leaves` says 502 to what can
 * be repeated, as one does that shuts down.
 */
export type Behaviour = 'answers' | 'breaks-off' | 'leaves';

/** @param answer what an answering replica says, instead of its port */
export async function startReplica(
  behaviour: Behaviour = 'answers',
  answer?: (response: ServerResponse, incoming: IncomingMessage) => void,
): Promise<Replica> {
  const server = createServer((incoming, response) => {
    remember(incoming);
    if (behaviour === 'breaks-off') {
      incoming.socket.destroy();
      return;
    }
    incoming.resume().once('end', () => {
      response.setHeader('x-request-id', incoming.headers['x-request-id'] ?? 'none');
      if (behaviour === 'leaves' && incoming.headers['x-repeatable']) response.writeHead(502).end();
      else if (answer) answer(response, incoming);
      else response.end(String(replica.port));
    });
  });
  server.on('connection', () => (replica.connections += 1));
  server.on('upgrade', (incoming, socket) => {
    remember(incoming);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n');
    socket.on('error', () => socket.destroy()).pipe(socket);
  });
  const remember = ({ method, url, headers }: IncomingMessage) =>
    replica.seen.push({ method: method!, path: url!, headers });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const replica: Replica = {
    port: (server.address() as AddressInfo).port,
    seen: [],
    connections: 0,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
  return replica;
}

/** A port that nobody listens on, for now. */
export async function freePort(): Promise<number> {
  const replica = await startReplica();
  await replica.stop();
  return replica.port;
}

export interface Nginx {
  port: number;
  tlsPort: number;
  /** The log, once it has a line with the text: nginx writes it after the answer. */
  logWith(text: string): Promise<string>;
  stop(): Promise<void>;
}

export interface NginxOptions {
  /** Of docker/nginx/upstreams/, routes/, listen/ and client-address/, without the suffix. */
  upstreams?: string;
  routes?: string;
  listen?: 'http' | 'https';
  clientAddress?: string;
  brotli?: boolean;
  /** What else differs from what is shipped: from, to; each must stand there. */
  changes?: [string, string][];
}

/**
 * Starts nginx on free ports of the loopback with the shipped configuration, in which nothing is changed but where it listens,
 * where the replicas are, and where it writes.
 *
 * @param replicaPorts in the order in which the upstreams name them
 * @throws ToolMissingError without nginx, Error with its messages when it refuses the configuration
 */
export async function startNginx(replicaPorts: readonly number[], options: NginxOptions = {}): Promise<Nginx> {
  const [port, tlsPort] = [await freePort(), await freePort()];
  const folder = mkdtempSync(join(tmpdir(), 'deploy-nginx-'));
  // Started by root, nginx lets another user do the work.
  chmodSync(folder, 0o755);
  render(folder, [port, tlsPort], replicaPorts, options);
  const args = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf')];
  // A file and not a pipe: nginx opens /dev/stdout by name, and node's pipes are sockets, which can't be opened so.
  const logFile = join(folder, 'log');
  const log = openSync(logFile, 'a');
  try {
    check(args, log);
  } catch (error) {
    closeSync(log);
    rmSync(folder, { recursive: true });
    throw error;
  }

  const nginx = spawn('nginx', [...args, '-g', 'daemon off;'], { stdio: ['ignore', log, log] });
  closeSync(log);
  const exited = once(nginx, 'exit');
  while (!(await accepts(port))) {
    if (nginx.exitCode !== null) throw new Error(readFileSync(logFile, 'utf8'));
    await sleep(20);
  }
  return {
    port,
    tlsPort,
    async logWith(text) {
      for (let tries = 0; tries < 250; tries += 1, await sleep(20)) {
        const lines = readFileSync(logFile, 'utf8');
        if (lines.includes(text)) return lines;
      }
      throw new Error(`nginx logged nothing with ${text}:\n${readFileSync(logFile, 'utf8')}`);
    },
    async stop() {
      nginx.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

function check(args: string[], log: number): void {
  const { error, status, stderr } = spawnSync('nginx', [...args, '-t'], {
    encoding: 'utf8',
    stdio: ['ignore', log, 'pipe'],
  });
  if (error) throw new ToolMissingError('nginx');
  // How HTTP/2 is switched on in a way that versions before 1.25.1 understand, too.
  const warnings = stderr.replaceAll(/.*"listen \.\.\. http2" directive is deprecated.*/g, '');
  if (status !== 0 || warnings.includes('[warn]')) throw new Error(stderr);
}

function render(folder: string, ports: [number, number], replicaPorts: readonly number[], options: NginxOptions): void {
  const { upstreams = 'least-conn', routes = 'one-service', listen = 'http', clientAddress } = options;
  layOutNginx(folder, {
    ...{ upstreams, routes, listen, clientAddress, ports: replicaPorts },
    changes: [
      ['listen 8080;', `listen 127.0.0.1:${ports[0]};`],
      ['listen 8443 ssl http2;', `listen 127.0.0.1:${ports[1]} ssl http2;`],
      ...(options.changes ?? []),
    ],
  });
  if (options.brotli) {
    for (const context of ['main', 'http']) {
      mkdirSync(join(folder, 'extra', context), { recursive: true });
      symlinkSync(join(folder, `brotli/${context}.conf`), join(folder, `extra/${context}/brotli.conf`));
    }
  }
  mkdirSync(join(folder, 'tls'));
  const subject = ['-subj', '/CN=localhost', '-days', '1', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];
  const files = ['-keyout', join(folder, 'tls/tls.key'), '-out', join(folder, 'tls/tls.crt')];
  run('openssl', ['req', '-x509', '-noenc', ...subject, ...files]);
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

export interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  /** How often each header came, which `headers` doesn't tell. */
  rawHeaders: string[];
  body: string;
  /** The body as it came, compressed or not. */
  raw: Buffer;
}

interface Options {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Buffer;
  agent?: Agent;
}

/** Sends one request, with headers that `fetch` wouldn't let through. */
export async function send(port: number, { body, ...options }: Options = {}): Promise<Answer> {
  const outgoing = request({ host: '127.0.0.1', port, agent: false, ...options });
  // A server may answer before it has read everything, and close: what counts is the answer.
  outgoing.end(body).on('error', () => undefined);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const { statusCode, headers, rawHeaders } = response;
  const raw = Buffer.concat(chunks);
  return { status: statusCode!, headers, rawHeaders, body: raw.toString(), raw };
}
