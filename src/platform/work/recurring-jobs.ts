import { Injectable, type OnApplicationBootstrap, type OnModuleInit } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { databaseDate } from '../database/database-clock.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { type DecoratedMethod, DecoratedMethods } from './decorated-methods.js';
import { Recurring, type RecurringJobOptions } from './recurring-job.decorator.js';
import { RecurringJobEntry } from './recurring-job.schema.js';
import { WorkHandler } from './work-handler.decorator.js';
import { dueAt } from './work.schema.js';

const CONCURRENCY = 2;
const LEASE_MS = 5 * 60_000;
const JITTER = 0.1;
/** A name that this process doesn't know is another release's: left to processes that know it. */
const UNKNOWN_AGAIN_MS = 60_000;

/**
 * Runs each method with `@RecurringJob` in one process at a time, however many there are: the time of the next run is a document
 * that is claimed like any durable work. A run that was due while nothing was up is made up for once.
 */
@Injectable()
export class RecurringJobs implements OnModuleInit, OnApplicationBootstrap {
  private readonly jobs = new Map<string, DecoratedMethod<RecurringJobOptions>>();

  constructor(
    @InjectModel(RecurringJobEntry.name) private readonly entries: Model<RecurringJobEntry>,
    private readonly methods: DecoratedMethods,
  ) {}

  /** @throws Error where two jobs have one name */
  onModuleInit(): void {
    for (const job of this.methods.find(Recurring)) {
      const { name } = job.options;
      const other = this.jobs.get(name);
      if (other) throw new Error(`${other.name} and ${job.name} are both the recurring job ${name}.`);
      this.jobs.set(name, job);
    }
  }

  /** Before the queue starts, which is when all else is initialised. */
  async onApplicationBootstrap(): Promise<void> {
    await Promise.all([...this.jobs.values()].map(({ options }) => this.plan(options)));
  }

  /** Makes sure that the job is planned; where its interval has become shorter, no later than that from now. */
  private async plan({ name, everyMs }: RecurringJobOptions): Promise<void> {
    const latest = databaseDate(everyMs);
    await this.entries
      .updateOne({ name }, { $min: { availableAt: latest }, $setOnInsert: { createdAt: latest } }, { upsert: true })
      .catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error; // another process planned it at the same time
      });
  }

  @WorkHandler({
    queue: 'recurring-jobs',
    items: RecurringJobEntry,
    concurrency: CONCURRENCY,
    maxAttempts: Infinity,
    whenDone: 'leave',
    leaseMs: LEASE_MS,
  })
  async run({ _id, name, lease }: RecurringJobEntry): Promise<void> {
    const job = this.jobs.get(name);
    await job?.call();
    const pause = job ? job.options.everyMs * (1 - JITTER + 2 * JITTER * Math.random()) : UNKNOWN_AGAIN_MS;
    await this.entries.updateOne({ _id, lease }, { $set: dueAt(databaseDate(pause)) });
  }
}
