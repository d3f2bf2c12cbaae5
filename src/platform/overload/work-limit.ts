import { Counter, Gauge } from 'prom-client';
import { OverloadedError } from './overloaded.error.js';

const refusals = new Counter({
  name: 'limited_work_refused_total',
  help: 'Work refused with 503 OVERLOADED by limit (transactions, background-transactions, passwords, refresh-lookups), because too much of it was waiting',
  labelNames: ['limit'],
});
const waitingWork = new Gauge({
  name: 'limited_work_waiting',
  help: 'Work that waits for its turn, by limit (transactions, background-transactions, passwords, refresh-lookups)',
  labelNames: ['limit'],
});

export interface WorkLimitOptions {
  /** The limit's name in metrics. */
  name: string;
  /** How much runs at once. */
  concurrency: number;
  /** How much may wait, and for how long (milliseconds); the rest is refused. Without it all waits as long as it takes. */
  queueLimit?: { maxWaiting: number; maxWaitMs: number };
}

interface Waiter {
  key: string;
  start: () => void;
  refuse: () => void;
}

/**
 * Runs a limited amount of work at once; the rest waits. Work of different keys takes turns, so that much work of one key
 * doesn't delay the others.
 */
export class WorkLimit {
  private running = 0;
  private waiting = 0;
  /** Those that wait, oldest first, by key. The first key has the next turn. */
  private readonly lines = new Map<string, Waiter[]>();

  constructor(private readonly options: WorkLimitOptions) {
    refusals.inc({ limit: options.name }, 0);
    waitingWork.set({ limit: options.name }, 0);
  }

  /** How much may run or wait at once. */
  get capacity(): number {
    const { concurrency, queueLimit } = this.options;
    return concurrency + (queueLimit?.maxWaiting ?? Infinity);
  }

  private get isFull(): boolean {
    const { queueLimit } = this.options;
    return queueLimit !== undefined && this.waiting >= queueLimit.maxWaiting;
  }

  /**
   * @param since when the wait began, by `performance.now()`
   * @throws OverloadedError where the work isn't started in time; what `work` throws
   */
  async run<T>(key: string, work: () => Promise<T>, since = performance.now()): Promise<T> {
    const { concurrency, queueLimit } = this.options;
    const waitMs = queueLimit && since + queueLimit.maxWaitMs - performance.now();
    if (waitMs !== undefined && waitMs < 0) throw this.refusal();
    if (this.running < concurrency) this.running++;
    else await this.turn(key, waitMs);
    try {
      return await work();
    } finally {
      this.passOn();
    }
  }

  /** Gives the place of work that has ended to what waits for one. */
  private passOn(): void {
    const [key] = this.lines.keys();
    if (key === undefined) {
      this.running--;
      return;
    }
    const line = this.lines.get(key)!;
    const waiter = line[0]!;
    this.remove(waiter);
    // Behind the other keys.
    if (this.lines.delete(key)) this.lines.set(key, line);
    waiter.start();
  }

  private turn(key: string, waitMs: number | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.isFull) {
        const replaced = this.newestOfLonger(key);
        if (!replaced) {
          reject(this.refusal());
          return;
        }
        replaced.refuse();
      }
      const timer = waitMs === undefined ? undefined : setTimeout(() => waiter.refuse(), waitMs);
      const waiter: Waiter = {
        key,
        start: () => {
          clearTimeout(timer);
          resolve();
        },
        refuse: () => {
          clearTimeout(timer);
          this.remove(waiter);
          reject(this.refusal());
        },
      };
      this.add(waiter);
    });
  }

  /** @returns the newest of the longest line, if that would still be longer than the one of `key` with one more */
  private newestOfLonger(key: string): Waiter | undefined {
    let longest: Waiter[] = [];
    for (const line of this.lines.values()) if (line.length > longest.length) longest = line;
    const own = this.lines.get(key)?.length ?? 0;
    return longest.length > own + 1 ? longest.at(-1) : undefined;
  }

  private add(waiter: Waiter): void {
    const line = this.lines.get(waiter.key);
    if (line) line.push(waiter);
    else this.lines.set(waiter.key, [waiter]);
    this.count(1);
  }

  private remove(waiter: Waiter): void {
    const line = this.lines.get(waiter.key) ?? [];
    line.splice(line.indexOf(waiter), 1);
    if (line.length === 0) this.lines.delete(waiter.key);
    this.count(-1);
  }

  private count(change: 1 | -1): void {
    this.waiting += change;
    waitingWork.inc({ limit: this.options.name }, change);
  }

  private refusal(): OverloadedError {
    refusals.inc({ limit: this.options.name });
    return new OverloadedError();
  }
}
