import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { freePort, portFor } from './ports.js';

const servers: Server[] = [];
const takePort = async (host: string): Promise<number> => {
  const server = createServer().listen(0, host);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
};
afterAll(() => servers.forEach((server) => server.close()));

describe('freePort', () => {
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

describe('portFor', () => {
  it.each(['abc', '-1', '65536', '80.5'])('names the variable that gives %s, which is no port', async (PORT) => {
    await expect(portFor('PORT', 5000, { PORT })).rejects.toThrow(
      `PORT must be a port number, up to 65535, and is ${PORT}.`,
    );
  });

  it('names the variable whose port is taken', async () => {
    const PORT = String(await takePort('127.0.0.1'));
    await expect(portFor('PORT', 5000, { PORT })).rejects.toThrow(`PORT ${PORT} is taken`);
  });

  it('gives the port that is asked for, or one from the usual on', async () => {
    const free = await freePort();
    expect(await portFor('PORT', 5000, { PORT: String(free) })).toBe(free);
    expect(await portFor('PORT', free, {})).toBeGreaterThan(free);
  });
});
