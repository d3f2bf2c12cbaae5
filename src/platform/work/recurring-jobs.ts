import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { databaseDate } from '../database/database-clock.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { RecurringJobEntry } from './recurring-job.schema.js';
import { WorkQueue } from './work-queue.js';
import { dueAt } from './work.schema.js';

/** What is done again and again, such as a sweep. */
export interface RecurringJob {
  /** Unique, and the same in every process and release. */
  name: string;
  /** From the end of a run to the beginning of the next, in milliseconds; jittered by a tenth. */
  everyMs: number;
  /** Ends within five minutes, so it does a bounded piece; may be repeated after a crash. A failure is tried again. */
  run: () => Promise<void>;
}

const CONCURRENCY = 2;
const LEASE_MS = 5 * 60_000;
const JITTER = 0.1;
/** A name that this process doesn't know is another release's: left to whoever knows it. */
const UNKNOWN_AGAIN_MS = 60_000;

/**
 * Runs each registered job in one process at a time, however many there are: the time of the next run is a document
 * that is claimed like any durable work. A run that was due while nothing was up is made up for once.
 */
@Injectable()
export class RecurringJobs implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly jobs = new Map<string, RecurringJob>();
  private readonly queue: WorkQueue<RecurringJobEntry>;

  constructor(@InjectModel(RecurringJobEntry.name) private readonly entries: Model<RecurringJobEntry>) {
    this.queue = new WorkQueue(entries, (entry) => this.run(entry), {
      name: 'recurring-jobs',
      concurrency: CONCURRENCY,
      maxAttempts: Infinity,
      whenDone: 'leave',
      leaseMs: LEASE_MS,
    });
  }

  /** To be called while the application is built (`onModuleInit`). */
  register(job: RecurringJob): void {
    this.jobs.set(job.name, job);
  }

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all([...this.jobs.values()].map((job) => this.plan(job)));
    this.queue.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.stop();
  }

  /** Makes sure that the job is planned; where its interval has become shorter, no later than that from now. */
  private async plan({ name, everyMs }: RecurringJob): Promise<void> {
    const latest = databaseDate(everyMs);
    await this.entries
      .updateOne({ name }, { $min: { availableAt: latest }, $setOnInsert: { createdAt: latest } }, { upsert: true })
      .catch((error: unknown) => {
        if (!isDuplicateKey(error)) throw error; // another process planned it at the same time
      });
  }

  private async run({ _id, name, lease }: RecurringJobEntry): Promise<void> {
    const job = this.jobs.get(name);
    await job?.run();
    const pause = job ? job.everyMs * (1 - JITTER + 2 * JITTER * Math.random()) : UNKNOWN_AGAIN_MS;
    await this.entries.updateOne({ _id, lease }, { $set: dueAt(databaseDate(pause)) });
  }
}
