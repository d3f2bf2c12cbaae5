import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { postgresUrl } from './gateway-process.js';

/** A TCP relay in front of the engine, so that a test can take it away and bring it back. */
export interface EngineProxy {
  url: string;
  /** Cuts every connection, as a server that was killed does, and refuses new ones. */
  down(): Promise<void>;
  up(): Promise<void>;
  /** The ports it comes from, by which the engine knows its connections. */
  ports(): number[];
  close(): Promise<void>;
}

export async function startProxy(): Promise<EngineProxy> {
  const target = new URL(postgresUrl());
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    upstreams.add(upstream);
    upstream.on('close', () => upstreams.delete(upstream));
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const down = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  const url = new URL(target);
  url.port = String(port);
  const ports = (): number[] => [...upstreams].flatMap(({ localPort }) => localPort ?? []);
  return {
    url: url.href,
    ports,
    down,
    up: () => listen(port),
    close: () => (server.listening ? down() : Promise.resolve()),
  };
}
