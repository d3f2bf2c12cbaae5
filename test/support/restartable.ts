import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '../../local/paths.js';
import type { Server, ServerContext } from '../../local/server.js';

/** A server that can be killed and started again on its data, under one address. */
export interface Restartable {
  url: string;
  /** As a power cut would. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Makes it hang: connections stay, answers don't come. */
  pause(): void;
  resume(): void;
  /** The command lines of its processes. */
  commandLines(): string[][];
  stop(): Promise<void>;
}

/**
 * Starts a server behind an address that stays: a new process gets another port, and whoever is connected to the address
 * sees what they would see of the server itself, a connection that breaks and one that is refused.
 *
 * @param startServer what starts it, on the data in the context's folder
 */
export async function startRestartable(startServer: (context: ServerContext) => Promise<Server>): Promise<Restartable> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-server-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  const pids: number[] = [];
  const context: ServerContext = {
    ...{ dataDir, logDir, cacheDir: cacheDir(), durable: true, usualPorts: false },
    log: () => undefined,
    onSpawn: ({ pid }) => pids.push(pid),
  };
  let server: Server | undefined;
  let port: number | undefined;
  const start = async (): Promise<void> => {
    server = await startServer(context);
    port = Number(new URL(server.url).port);
  };
  await start();

  const sockets = new Set<Socket>();
  const relay = createServer((client) => {
    sockets.add(client);
    client.on('close', () => sockets.delete(client)).on('error', () => client.destroy());
    if (port === undefined) return void client.resetAndDestroy();
    const target = connect(port, '127.0.0.1');
    target.on('error', () => client.destroy()).on('close', () => client.destroy());
    client.on('close', () => target.destroy());
    client.setNoDelay().pipe(target.setNoDelay()).pipe(client);
  }).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const url = new URL(server!.url);
  url.port = String((relay.address() as AddressInfo).port);
  return {
    url: url.href,
    start,
    pause: () => pids.forEach((pid) => process.kill(pid, 'SIGSTOP')),
    resume: () => pids.forEach((pid) => process.kill(pid, 'SIGCONT')),
    commandLines: () => pids.map((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')),
    async kill() {
      port = undefined;
      for (const pid of pids.splice(0)) process.kill(pid, 'SIGKILL');
      for (const socket of sockets) socket.destroy();
      await server!.stop(); // returns once all of its processes are gone
    },
    async stop() {
      await server!.stop();
      relay.close();
      for (const socket of sockets) socket.destroy();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
