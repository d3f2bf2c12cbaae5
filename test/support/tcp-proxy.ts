import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line between two parties that a test can cut. */
export interface TcpProxy {
  port: number;
  /** Ends all connections and refuses new ones: the other side is gone. */
  cut(): void;
  /** Connections stay and can be made, but nothing comes through any more: a network that swallows. */
  silence(): void;
  restore(): void;
}

const cleanUps: (() => void)[] = [];

/** Passes everything on to `target` (a port of this machine); closed after the test file. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<[Socket, Socket]>();
  let state: 'whole' | 'cut' | 'silent' = 'whole';

  const server = createServer((client) => {
    if (state === 'cut') return client.destroy();
    const upstream = connect(target, '127.0.0.1');
    const pair: [Socket, Socket] = [client, upstream];
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (data) => state === 'whole' && to.write(data));
      // Either end may go first, with an error or without: the other one follows.
      from
        .on('error', () => undefined)
        .on('close', () => {
          to.destroy();
          pairs.delete(pair);
        });
    }
    return undefined;
  });
  const hangUp = () => [...pairs].flat().forEach((socket) => socket.destroy());
  cleanUps.push(() => {
    hangUp();
    server.close();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    cut: () => {
      state = 'cut';
      hangUp();
    },
    silence: () => (state = 'silent'),
    restore: () => {
      // What was swallowed is missing from the streams: such connections are of no use.
      if (state === 'silent') hangUp();
      state = 'whole';
    },
  };
}

afterAll(() => cleanUps.forEach((cleanUp) => cleanUp()));
