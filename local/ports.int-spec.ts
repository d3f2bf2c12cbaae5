import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { freePort } from './ports.js';

describe('freePort', () => {
  const servers: Server[] = [];
  const takePort = async (host: string): Promise<number> => {
    const server = createServer().listen(0, host);
    servers.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  afterAll(() => servers.forEach((server) => server.close()));

  it.each(['127.0.0.1', '0.0.0.0'])('passes over a port that somebody listens on at %s', async (host) => {
    const taken = await takePort(host);
    expect(await freePort(taken)).toBeGreaterThan(taken);
  });

  it('gives no port twice', async () => {
    const taken = await takePort('127.0.0.1');
    const ports = await Promise.all(Array.from({ length: 5 }, () => freePort(taken)));
    expect(new Set(ports).size).toBe(5);
  });
});
