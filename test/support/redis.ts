import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { cacheDir } from '../../local/paths.js';
import { startRedis } from '../../local/redis.js';

/** A Redis that a test may do anything to. */
export interface OwnRedis {
  /** Another one after a restart. */
  readonly url: string;
  /** Makes it hang: connections stay, answers don't come. */
  pause(): void;
  resume(): void;
  /** As a crash would: what it hasn't saved is gone. */
  kill(): void;
  /** Kills it, and starts it again with what it has saved, if anything. */
  restart(): Promise<void>;
}

const cleanUps: (() => Promise<void>)[] = [];

/** Starts a Redis beside the one that all tests share; it ends after the test file. It saves only when it is told to. */
export async function startOwnRedis(): Promise<OwnRedis> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-redis-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  let pids: number[] = [];
  let killed = false;
  const start = () =>
    startRedis(
      {
        ...{ dataDir, logDir, cacheDir: cacheDir(), durable: false, usualPorts: false },
        log: () => undefined,
        onSpawn: ({ pid }) => pids.push(pid),
      },
      {},
    );
  let server = await start();
  const signal = (name: NodeJS.Signals) => pids.forEach((pid) => process.kill(pid, name));
  const kill = () => {
    if (!killed) signal('SIGKILL');
    killed = true;
  };
  cleanUps.push(async () => {
    if (!killed) signal('SIGCONT');
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });
  return {
    get url() {
      return server.url;
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
    kill,
    async restart() {
      kill();
      await server.stop();
      pids = [];
      server = await start();
      killed = false;
    },
  };
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
});
