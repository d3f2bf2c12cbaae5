import { randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { Model } from 'mongoose';
import { Counter, Gauge } from 'prom-client';
import type { WorkItem } from './work.schema.js';

export interface WorkQueueOptions {
  /** Names the queue in logs and metrics. */
  name: string;
  /** How many items one process works on at once. */
  concurrency: number;
  /** After this many failures an item is parked. */
  maxAttempts: number;
  /** What becomes of finished items. */
  whenDone: 'delete' | 'keep';
  /** How long a claim lasts, in milliseconds; longer than any item takes. */
  leaseMs?: number;
  /** How often an idle process looks for due work, in milliseconds; `nudge` is what makes it prompt. */
  pollMs?: number;
}

const DEFAULT_LEASE_MS = 60_000;
const DEFAULT_POLL_MS = 1_000;
const FIRST_BACKOFF_MS = 250;
const MAX_BACKOFF_MS = 10 * 60_000;
const MAX_ERROR_LENGTH = 500;

const finished = new Counter({
  name: 'work_finished_total',
  help: 'Attempts at durable work by queue and outcome',
  labelNames: ['queue', 'outcome'],
});
const watched = new Map<string, Model<WorkItem>>();
new Gauge({
  name: 'work_depth',
  help: 'Items of durable work by queue and state (ready, parked)',
  labelNames: ['queue', 'state'],
  async collect() {
    for (const [queue, model] of watched) {
      for (const state of ['ready', 'parked'] as const) {
        const depth = await model.countDocuments({ state }).catch(() => NaN);
        this.set({ queue, state }, depth);
      }
    }
  },
});
new Gauge({
  name: 'work_oldest_age_seconds',
  help: 'Age of the oldest item that is ready, 0 where there is none',
  labelNames: ['queue'],
  async collect() {
    for (const [queue, model] of watched) {
      const oldest = await model
        .findOne({ state: 'ready' }, { createdAt: 1 })
        .sort({ availableAt: 1 })
        .lean<Pick<WorkItem, 'createdAt'>>()
        .then((item) => (item ? (Date.now() - item.createdAt.getTime()) / 1000 : 0))
        .catch(() => NaN);
      this.set({ queue }, oldest);
    }
  },
});

/**
 * Durable work in MongoDB, once for all of it: items are claimed with a lease by whichever process is free, tried again
 * with growing, jittered pauses, and parked when they keep failing. An item is worked on at least once; its handler
 * makes that "once in effect".
 */
export class WorkQueue<T extends WorkItem> {
  private readonly logger: Logger;
  private readonly running = new Set<Promise<void>>();
  private loop?: Promise<void>;
  private stopped = false;
  private nudged = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly model: Model<T>,
    private readonly handle: (item: T) => Promise<void>,
    private readonly options: WorkQueueOptions,
  ) {
    this.logger = new Logger(`WorkQueue:${options.name}`);
  }

  start(): void {
    watched.set(this.options.name, this.model as unknown as Model<WorkItem>);
    this.loop ??= this.run();
  }

  /** Says that there is new work: it is claimed at once instead of at the next poll. */
  nudge(): void {
    this.nudged = true;
    this.wake();
  }

  /** Claims nothing more and waits for what is being worked on. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.wake();
    await this.loop;
    await Promise.all(this.running);
  }

  private async run(): Promise<void> {
    while (!this.stopped) {
      if (this.running.size >= this.options.concurrency) {
        await Promise.race(this.running);
        continue;
      }
      this.nudged = false;
      const item = await this.claim();
      if (item === null) {
        await this.idle();
        continue;
      }
      const work: Promise<void> = this.work(item).finally(() => this.running.delete(work));
      this.running.add(work);
    }
  }

  /** Until the next poll, jittered so that instances don't poll in step; a nudge ends it. */
  private idle(): Promise<void> {
    if (this.nudged || this.stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, (this.options.pollMs ?? DEFAULT_POLL_MS) * (0.75 + Math.random() / 2));
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async claim(): Promise<T | null> {
    const now = Date.now();
    try {
      return await this.model
        .findOneAndUpdate(
          { state: 'ready', availableAt: { $lte: new Date(now) } } as object,
          {
            $set: { availableAt: new Date(now + (this.options.leaseMs ?? DEFAULT_LEASE_MS)), lease: randomUUID() },
            $inc: { attempts: 1 },
          },
          { sort: { availableAt: 1 }, returnDocument: 'after' },
        )
        .lean<T>();
    } catch (error) {
      this.logger.warn({ err: error }, 'no work can be claimed at the moment');
      return null;
    }
  }

  private async work(item: T): Promise<void> {
    try {
      await this.handle(item);
      await this.finish(item);
      finished.inc({ queue: this.options.name, outcome: 'done' });
    } catch (error) {
      await this.fail(item, error);
    }
  }

  private async finish(item: T): Promise<void> {
    const own = { _id: item._id, lease: item.lease } as object;
    if (this.options.whenDone === 'delete') await this.model.deleteOne(own);
    else await this.model.updateOne(own, { $set: { state: 'done', lease: null, lastError: null } });
  }

  private async fail(item: T, error: unknown): Promise<void> {
    const parked = item.attempts >= this.options.maxAttempts;
    const pause = Math.min(FIRST_BACKOFF_MS * 2 ** (item.attempts - 1), MAX_BACKOFF_MS) * (0.5 + Math.random());
    finished.inc({ queue: this.options.name, outcome: parked ? 'parked' : 'retry' });
    const details = { err: error, id: String(item._id), attempts: item.attempts };
    if (parked) this.logger.error(details, 'parked: it keeps failing, see the runbook for parked work');
    else this.logger.warn(details, 'failed and will be tried again');
    const change = {
      lease: null,
      lastError: String(error).slice(0, MAX_ERROR_LENGTH),
      ...(parked ? { state: 'parked' } : { availableAt: new Date(Date.now() + pause) }),
    };
    try {
      await this.model.updateOne({ _id: item._id, lease: item.lease } as object, { $set: change });
    } catch (unreachable) {
      this.logger.warn({ err: unreachable }, 'an outcome could not be recorded; the lease runs out instead');
    }
  }
}
