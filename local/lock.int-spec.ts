import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryLock, withLock } from './lock.js';
import { identify } from './process-identity.js';

describe('the lock', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'lock-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lets the second wait for the first, whose process it names', async () => {
    const file = join(folder, 'held');
    const holder = spawn(process.execPath, ['-e', 'process.stdin.resume()'], { stdio: ['pipe', 'ignore', 'ignore'] });
    await once(holder, 'spawn');
    writeFileSync(file, JSON.stringify(identify(holder.pid)));
    const waited: number[] = [];
    const work = withLock(
      file,
      ({ pid }) => {
        waited.push(pid);
        holder.kill('SIGKILL');
      },
      async () => 'done',
    );
    expect(await work).toBe('done');
    expect(waited).toEqual([holder.pid]);
  });

  it('is never held by two at once within a process either', async () => {
    const file = join(folder, 'queue');
    let inside = 0;
    let most = 0;
    const work = async (): Promise<void> => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside--;
    };
    const never = (): never => {
      throw new Error('waited for itself');
    };
    await Promise.all([1, 2, 3].map(() => withLock(file, never, work)));
    expect(most).toBe(1);
  });

  it('is taken over from a process that is no more, though another has its number', () => {
    const file = join(folder, 'stale');
    writeFileSync(file, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    const lock = tryLock(file);
    expect(lock).toHaveProperty('release');
    if ('release' in lock) lock.release();
  });

  it('is free again after the work has failed', async () => {
    const file = join(folder, 'failing');
    const failing = withLock(
      file,
      () => undefined,
      () => Promise.reject(new Error('no')),
    );
    await expect(failing).rejects.toThrow('no');
    expect(tryLock(file)).toHaveProperty('release');
  });
});
