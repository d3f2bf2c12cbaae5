import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '../../local/paths.js';
import type { Server, ServerContext } from '../../local/server.js';

/** A server that may be killed; it comes back at the same address, with what it keeps on disk. */
export interface OwnServer {
  url: string;
  kill(): Promise<void>;
  start(): Promise<void>;
  /** Ends it and removes its data. */
  remove(): Promise<void>;
}

/** Starts a server behind an address that stays, since the server itself comes back at another port. */
export async function startOwnServer(launch: (context: ServerContext) => Promise<Server>): Promise<OwnServer> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-server-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  let pids: number[] = [];
  let server: Server | undefined;
  const sockets = new Set<Socket>();

  const bridge = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const door = createServer((client) => {
    if (!server) return void client.destroy();
    const onward = connect(Number(new URL(server.url).port), '127.0.0.1');
    bridge(client, onward);
    bridge(onward, client);
  });
  door.listen(0, '127.0.0.1');
  await once(door, 'listening');

  const start = async (): Promise<void> => {
    pids = [];
    const places = { dataDir, logDir, cacheDir: cacheDir(), durable: true, usualPorts: false };
    const onSpawn = ({ pid }: { pid: number }) => void pids.push(pid);
    server = await launch({ ...places, log: () => undefined, onSpawn });
  };
  await start();
  const address = new URL((server as unknown as Server).url);
  address.port = String((door.address() as AddressInfo).port);
  return {
    url: address.href,
    start,
    async kill() {
      const killed = server;
      server = undefined;
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      for (const socket of sockets) socket.destroy();
      await killed?.stop(); // returns once they are gone
    },
    async remove() {
      for (const socket of sockets) socket.destroy();
      door.close();
      await server?.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
