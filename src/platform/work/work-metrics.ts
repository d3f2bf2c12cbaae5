import type { Model, QueryFilter } from 'mongoose';
import { Counter, Gauge } from 'prom-client';
import { databaseNow } from '../database/database-clock.js';
import { within } from '../overload/within.js';
import type { WorkItem } from './work.schema.js';

/** The longest pause between two attempts, where a queue doesn't say otherwise, in milliseconds. */
export const MAX_BACKOFF_MS = 10 * 60_000;
/** A scrape that waited for a database that has gone would fail, and with it every other metric. */
const PATIENCE_MS = 750;
/** Counting costs; beyond this it's many in any case. */
const MAX_COUNTED = 10_000;
const OUTCOMES = ['done', 'retry', 'postponed', 'failed', 'parked'] as const;

interface Watched {
  model: Model<WorkItem>;
  scope: object;
}
const watched = new Map<string, Watched>();

const finished = new Counter({
  name: 'work_finished_total',
  help: 'Attempts at durable work by queue and outcome (done, retry, postponed, failed, parked)',
  labelNames: ['queue', 'outcome'],
});

/** Without what is planned for later than any pause between attempts: there may be a million of those. */
const waiting = (): QueryFilter<WorkItem> => ({
  state: 'ready',
  availableAt: { $lte: new Date(databaseNow() + 2 * MAX_BACKOFF_MS) },
});

new Gauge({
  name: 'work_depth',
  help: `Items of durable work by queue and state (ready: due within minutes, or being worked on; parked), at most ${MAX_COUNTED}`,
  labelNames: ['queue', 'state'],
  aggregator: 'max', // every worker sees the same queue
  async collect() {
    const tell = (state: string, filter: QueryFilter<WorkItem>) =>
      ofEachQueue(
        ({ model, scope }) => model.countDocuments({ ...scope, ...filter }, { limit: MAX_COUNTED }).exec(),
        (queue, depth) => this.set({ queue, state }, depth),
      );
    await Promise.all([tell('ready', waiting()), tell('parked', { state: 'parked' })]);
  },
});
new Gauge({
  name: 'work_oldest_age_seconds',
  help: 'Age of the oldest item that is ready, 0 where there is none',
  labelNames: ['queue'],
  aggregator: 'max',
  async collect() {
    await ofEachQueue(ageOfOldest, (queue, seconds) => this.set({ queue }, seconds));
  },
});

async function ageOfOldest({ model, scope }: Watched): Promise<number> {
  const oldest = await model
    .findOne({ ...scope, ...waiting() }, { createdAt: 1 })
    .sort({ availableAt: 1 })
    .lean<Pick<WorkItem, 'createdAt'>>();
  return oldest ? Math.max(0, (databaseNow() - oldest.createdAt.getTime()) / 1000) : 0;
}

/** All at once; NaN where the database doesn't say in time. */
async function ofEachQueue(
  measure: (queue: Watched) => Promise<number>,
  set: (queue: string, value: number) => void,
): Promise<void> {
  const measured = [...watched].map(async ([name, queue]) =>
    set(name, await within(measure(queue), PATIENCE_MS, NaN).catch(() => NaN)),
  );
  await Promise.all(measured);
}

/** Has the queue's depth and age told of from now on. */
export function observeQueue(name: string, queue: Watched): void {
  watched.set(name, queue);
  for (const outcome of OUTCOMES) finished.inc({ queue: name, outcome }, 0);
}

export function countFinished(queue: string, outcome: (typeof OUTCOMES)[number]): void {
  finished.inc({ queue, outcome });
}
