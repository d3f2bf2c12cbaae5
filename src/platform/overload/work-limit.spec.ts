import { setTimeout as delay } from 'node:timers/promises';
import { OverloadedError } from './overloaded.error.js';
import { WorkLimit } from './work-limit.js';

/** Work that is done when the test says so. */
function workOf(limit: WorkLimit) {
  const started: string[] = [];
  const finish = new Map<string, () => void>();
  return {
    started,
    finish: (name: string) => finish.get(name)!(),
    begin: (name: string, key = '', since?: number) =>
      limit.run(
        key,
        async () => {
          started.push(name);
          await new Promise<void>((resolve) => finish.set(name, resolve));
          return name;
        },
        since,
      ),
  };
}

const limited = (maxWaiting: number, maxWaitMs = 60_000) =>
  new WorkLimit({ name: 'test', concurrency: 1, queueLimit: { maxWaiting, maxWaitMs } });

describe('limited work', () => {
  it('runs as far as there are places, the rest in the order in which it came', async () => {
    const work = workOf(new WorkLimit({ name: 'test', concurrency: 2 }));
    const all = ['a', 'b', 'c', 'd'].map((name) => work.begin(name));
    expect(work.started).toEqual(['a', 'b']);
    work.finish('b');
    await all[1];
    expect(work.started).toEqual(['a', 'b', 'c']);
    work.finish('a');
    await all[0];
    work.finish('c');
    work.finish('d');
    expect(await Promise.all(all)).toEqual(['a', 'b', 'c', 'd']);
  });

  it('gives its place on when it fails', async () => {
    const limit = limited(1);
    const failing = limit.run('', () => Promise.reject(new Error('no')));
    const next = limit.run('', () => Promise.resolve('next'));
    await expect(failing).rejects.toThrow('no');
    expect(await next).toBe('next');
  });

  it('takes turns by key', async () => {
    const work = workOf(limited(10));
    const all = [work.begin('a1', 'a'), work.begin('a2', 'a'), work.begin('a3', 'a'), work.begin('b1', 'b')];
    for (const name of ['a1', 'a2', 'b1', 'a3']) {
      expect(work.started.at(-1)).toBe(name);
      work.finish(name);
      await delay(0);
    }
    await Promise.all(all);
  });

  it('is refused when it has waited for too long, also where it had begun to wait before', async () => {
    const work = workOf(limited(10, 20));
    const first = work.begin('first');
    await expect(work.begin('late')).rejects.toThrow(OverloadedError);
    await expect(work.begin('begun before', '', performance.now() - 21)).rejects.toThrow(OverloadedError);
    work.finish('first');
    await first;
    expect(work.started).toEqual(['first']);
  });

  it('is refused at once where too much waits, unless another key has more: then the newest of that is', async () => {
    const limit = limited(3);
    const work = workOf(limit);
    const first = work.begin('first', 'a');
    const many = [work.begin('a1', 'a'), work.begin('a2', 'a'), work.begin('a3', 'a')];
    await expect(work.begin('a4', 'a')).rejects.toThrow(OverloadedError);
    const other = work.begin('b1', 'b');
    await expect(many[2]).rejects.toThrow(OverloadedError);
    await expect(work.begin('b2', 'b')).rejects.toThrow(OverloadedError);
    for (const name of ['first', 'a1', 'b1', 'a2']) {
      work.finish(name);
      await delay(0);
    }
    expect(await Promise.all([first, many[0], many[1], other])).toEqual(['first', 'a1', 'a2', 'b1']);
    expect(limit.capacity).toBe(4);
  });
});
