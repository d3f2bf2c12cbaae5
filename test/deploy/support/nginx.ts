import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Agent, createServer, type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ToolMissingError } from './tools.js';

const SHIPPED = 'docker/nginx/nginx.conf';

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

/** `breaks-off` takes a request and hangs up without an answer, as a process does that is killed. */
export async function startReplica(behaviour: 'answers' | 'breaks-off' = 'answers'): Promise<Replica> {
  const server = createServer((incoming, response) => {
    remember(incoming);
    if (behaviour === 'breaks-off') {
      incoming.socket.destroy();
      return;
    }
    incoming.resume().once('end', () => {
      response.setHeader('x-request-id', incoming.headers['x-request-id'] ?? 'none');
      response.end(String(replica.port));
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
  /** The log, once it has a line with the text: nginx writes it after the answer. */
  logWith(text: string): Promise<string>;
  stop(): Promise<void>;
}

/**
 * Starts nginx on a free port of the loopback with the shipped configuration, in which nothing is changed but where it
 * listens, where the three replicas are, and where it writes.
 *
 * @throws ToolMissingError without nginx, Error with its messages when it refuses the configuration
 */
export async function startNginx(replicaPorts: readonly [number, number, number]): Promise<Nginx> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'deploy-nginx-'));
  // Started by root, nginx lets another user do the work.
  chmodSync(folder, 0o755);
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, render(port, replicaPorts, folder));
  const args = ['-e', 'stderr', '-p', folder, '-c', file];
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
  if (status !== 0 || stderr.includes('[warn]')) throw new Error(stderr);
}

function render(port: number, replicaPorts: readonly number[], folder: string): string {
  let conf = readFileSync(SHIPPED, 'utf8').replaceAll('/tmp/', `${folder}/`);
  const replace = (from: string, to: string) => {
    // Were the shipped file to change under this test, it would start something else than what is shipped.
    if (conf.split(from).length !== 2) throw new Error(`${SHIPPED} doesn't have exactly one ${from}`);
    conf = conf.replace(from, to);
  };
  replace('listen 8080;', `listen 127.0.0.1:${port};`);
  replicaPorts.forEach((replicaPort, index) => replace(`api-${index + 1}:5000`, `127.0.0.1:${replicaPort}`));
  return conf;
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
  return { status: statusCode!, headers, rawHeaders, body: Buffer.concat(chunks).toString() };
}
