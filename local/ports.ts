import { createServer } from 'node:net';
import { join } from 'node:path';
import { givenValue } from './environment.js';
import { tryLock } from './lock.js';
import { cacheDir } from './paths.js';

/** Below the range systems take the ports of outgoing connections from, so that none is caught by chance. */
const RANDOM_FROM = 20_000;
const RANDOM_TO = 32_000;
const ATTEMPTS = 200;
const MAX_PORT = 65_535;

/** Not in the temporary directory: each run of the tests has one of its own, and all must see the locks. */
let lockDir: string | undefined;

/** Whether nobody listens on the port, on any address of this machine. */
export function isPortFree(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const noIpv6 = host === undefined && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL');
      resolve(noIpv6 ? isPortFree(port, '0.0.0.0') : false);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/**
 * Between the finding of a port and the moment a server listens on it, another start could find it too: so it is
 * claimed with a lock file of this user's, which ends with this process.
 */
async function claim(port: number): Promise<boolean> {
  lockDir ??= join(cacheDir(), 'ports');
  const lock = tryLock(join(lockDir, String(port)));
  if (!('release' in lock)) return false;
  if (await isPortFree(port)) return true;
  lock.release();
  return false;
}

/**
 * A free TCP port: `preferred` or the next free one above it; without it any. No port is given twice while the process
 * it was given to runs.
 *
 * @throws Error when none is free in reach.
 */
export async function freePort(preferred?: number): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port =
      preferred === undefined
        ? RANDOM_FROM + Math.floor(Math.random() * (RANDOM_TO - RANDOM_FROM))
        : preferred + attempt;
    if (await claim(port)) return port;
  }
  throw new Error(`No free port found from ${preferred ?? RANDOM_FROM} on: stop what holds them and start again.`);
}

/**
 * The port that a variable gives; without it, the usual one or the next free one above it.
 *
 * @throws Error that names the variable when it is no port, or when somebody listens there
 */
export async function portFor(name: string, usual: number, env: NodeJS.ProcessEnv): Promise<number> {
  const value = givenValue(env, name) ?? '0';
  const given = Number(value);
  if (!Number.isInteger(given) || given < 0 || given > MAX_PORT) {
    throw new Error(`${name} must be a port number, up to ${MAX_PORT}, and is ${value}.`);
  }
  if (given === 0) return freePort(usual);
  if (await isPortFree(given)) return given;
  throw new Error(`${name} ${given} is taken: stop what listens there, or choose another.`);
}
