import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { MongoClient } from 'mongodb';
import type { SpawnedProcess } from './process.js';
import { startMark } from './process-identity.js';
import { processTree, signalProcesses } from './process-tree.js';
import type { Stack } from './stack.js';

/** A launcher of its own, so that it can be killed: starts a durable stack on `dataDir` and prints its addresses. */
const LAUNCHER = `
  import { startStack } from ${JSON.stringify(new URL('./dist/stack.js', import.meta.url).href)};
  const { mongodbUri, redisUrl, stop } = await startStack({ dataDir: process.argv[1], log: console.error });
  console.log(JSON.stringify({ mongodbUri, redisUrl }));
  process.once('SIGTERM', async () => { await stop(); process.exit(0); });
`;

interface Running extends Pick<Stack, 'mongodbUri' | 'redisUrl'> {
  launcher: ChildProcess;
}

async function launch(dataDir: string): Promise<Running> {
  const launcher = spawn(process.execPath, ['--input-type=module', '-e', LAUNCHER, dataDir]);
  launcher.stderr.resume();
  const [line] = (await once(createInterface({ input: launcher.stdout }), 'line')) as [string];
  return { launcher, ...(JSON.parse(line) as Pick<Stack, 'mongodbUri' | 'redisUrl'>) };
}

function serversOf(dataDir: string): SpawnedProcess[] {
  return JSON.parse(readFileSync(join(dataDir, 'servers.json'), 'utf8')) as SpawnedProcess[];
}

async function killEverything(dataDir: string, launcher: ChildProcess): Promise<void> {
  const gone = once(launcher, 'exit');
  for (const { pid } of serversOf(dataDir)) process.kill(pid, 'SIGKILL');
  launcher.kill('SIGKILL');
  await gone;
}

describe('the stack', () => {
  let dataDir: string;
  beforeAll(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'stack-'));
  });
  afterAll(() => rmSync(dataDir, { recursive: true }));

  it('has every acknowledged write after all of it was killed in the middle of writing', async () => {
    const first = await launch(dataDir);
    const mongo = new MongoClient(first.mongodbUri, { retryWrites: false, serverSelectionTimeoutMS: 500 });
    const redis = new Redis(first.redisUrl, { retryStrategy: null });
    redis.on('error', () => undefined);
    let written = 0;
    let counted = 0;
    const writeUntilDead = async (): Promise<void> => {
      for (let n = 1; ; n++) {
        await mongo.db('api').collection<{ _id: number }>('writes').insertOne({ _id: n });
        written = n;
        counted = await redis.incr('writes');
        if (n === 50) void killEverything(dataDir, first.launcher);
      }
    };
    await expect(writeUntilDead()).rejects.toThrow();
    await mongo.close();
    redis.disconnect();

    const second = await launch(dataDir);
    const again = new MongoClient(second.mongodbUri);
    const found = await again.db('api').collection('writes').countDocuments({});
    await again.close();
    const redisAgain = new Redis(second.redisUrl);
    const count = Number(await redisAgain.get('writes'));
    redisAgain.disconnect();
    // Also servers that were stopped meanwhile end in good order.
    const servers = serversOf(dataDir).flatMap(({ pid }) => processTree(pid));
    signalProcesses(servers, 'SIGSTOP');
    const stopped = once(second.launcher, 'exit');
    second.launcher.kill('SIGTERM');

    expect(written).toBeGreaterThanOrEqual(50);
    // The last one may have been written without being acknowledged.
    expect([written, written + 1]).toContain(found);
    expect([counted, counted + 1]).toContain(count);
    expect(await stopped).toEqual([0, null]);
    expect(servers.filter((pid) => startMark(pid) !== undefined)).toEqual([]);
  });
});
