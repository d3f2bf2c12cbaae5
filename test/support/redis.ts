import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '../../local/paths.js';
import { startRedis } from '../../local/redis.js';

/** A Redis that a test may do anything to. */
export interface OwnRedis {
  url: string;
  /** Makes it hang: connections stay, answers don't come. */
  pause(): void;
  resume(): void;
  /** As a crash would: everything in it is gone. */
  kill(): void;
}

const cleanUps: (() => Promise<void>)[] = [];

/** Starts a Redis beside the one that all tests share; it ends after the test file. */
export async function startOwnRedis(): Promise<OwnRedis> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-redis-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  const pids: number[] = [];
  const server = await startRedis(
    {
      ...{ dataDir, logDir, cacheDir: cacheDir(), durable: false, usualPorts: false },
      log: () => undefined,
      onSpawn: ({ pid }) => pids.push(pid),
    },
    {},
  );
  const signal = (name: NodeJS.Signals) => pids.forEach((pid) => process.kill(pid, name));
  let killed = false;
  cleanUps.push(async () => {
    if (!killed) signal('SIGCONT');
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });
  return {
    url: server.url,
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill: () => {
      killed = true;
      signal('SIGKILL');
    },
  };
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});
