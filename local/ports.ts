import { createServer } from 'node:net';

/** Below the range systems take the ports of outgoing connections from, so that none is caught by chance. */
const RANDOM_FROM = 20_000;
const RANDOM_TO = 32_000;
const ATTEMPTS = 200;

/** A port some other process can't be holding: listened on, on every address of this machine, and let go. */
function isFree(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const noIpv6 = host === undefined && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
      resolve(noIpv6 ? isFree(port, '0.0.0.0') : false);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

const given = new Set<number>();

async function take(port: number): Promise<boolean> {
  if (given.has(port) || !(await isFree(port)) || given.has(port)) return false;
  given.add(port);
  return true;
}

/**
 * A free TCP port: `preferred` or the next free one above it; without it any. No port is given twice by one process.
 *
 * @throws Error when none is free in reach.
 */
export async function freePort(preferred?: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port =
      preferred === undefined
        ? RANDOM_FROM + Math.floor(Math.random() * (RANDOM_TO - RANDOM_FROM))
        : preferred + attempt;
    if (await take(port)) return port;
  }
  throw new Error(`No free port found from ${preferred ?? RANDOM_FROM} on: stop what holds them and start again.`);
}
