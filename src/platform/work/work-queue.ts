import { SpanKind } from '@opentelemetry/api';
import { Logger } from '@nestjs/common';
import type { Model } from 'mongoose';
import { inSpan } from '../observability/tracing/spans.js';
import type { Claim } from './claim.js';
import { type ClaimedItem, ItemClaims } from './item-claims.js';
import { OutcomeRecords } from './outcome-records.js';
import { observeQueue } from './work-metrics.js';
import { type Changes, nextPollMsOf, type WorkQueueOptions } from './work-queue-options.js';
import type { WorkItem } from './work.schema.js';

/** How long after the last work an idle process first looks for more, in milliseconds. */
const FIRST_LOOK_MS = 250;

/**
 * Durable work in MongoDB, once for all of it: items are claimed with a lease by whichever process is free, tried again
 * with growing, jittered pauses, and parked when they keep failing. An item is worked on at least once; its handler
 * makes that "once in effect".
 */
export class WorkQueue<T extends WorkItem> {
  private readonly running = new Set<Promise<void>>();
  private readonly claims: ItemClaims<T>;
  private readonly records: OutcomeRecords<T>;
  private loop?: Promise<void>;
  private isStopped = false;
  private nudged = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly model: Model<T>,
    private readonly handle: (item: T, claim: Claim) => Promise<Changes<T>>,
    private readonly options: WorkQueueOptions,
  ) {
    const logger = new Logger(`WorkQueue:${options.queue}`);
    this.claims = new ItemClaims(model, options, logger);
    this.records = new OutcomeRecords(model, options, logger, this);
  }

  get stopped(): boolean {
    return this.isStopped;
  }

  start(): void {
    const model = this.model as unknown as Model<WorkItem>;
    observeQueue(this.options.queue, { model, scope: this.options.scope ?? {} });
    this.loop ??= this.run();
  }

  /** Says that there is new work: it is claimed at once instead of at the next poll. */
  nudge(): void {
    this.nudged = true;
    this.wake();
  }

  /** Claims nothing more and waits for what is being worked on. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.wake();
    await this.loop;
    await Promise.all(this.running);
  }

  private async run(): Promise<void> {
    while (!this.isStopped) {
      if (this.running.size >= this.options.concurrency) {
        await Promise.race(this.running);
        continue;
      }
      this.nudged = false;
      const claimed = await this.claims.next();
      if (claimed === null) {
        await this.idle();
        continue;
      }
      const work: Promise<void> = this.workTraced(claimed).finally(() => this.running.delete(work));
      this.running.add(work);
    }
  }

  /**
   * Until work is due, or a nudge. It looks at what is planned, or was added by other processes: one indexed read each
   * time, which is not made while nudges follow each other.
   */
  private async idle(): Promise<void> {
    let pauseMs = Math.min(FIRST_LOOK_MS, nextPollMsOf(this.options));
    while (pauseMs > 0 && !this.nudged && !this.isStopped) {
      await this.pause(pauseMs);
      if (!this.nudged && !this.isStopped) pauseMs = await this.claims.nextDueInMs();
    }
  }

  /** A nudge ends it. */
  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  private async workTraced({ item, claim }: ClaimedItem<T>): Promise<void> {
    const { queue } = this.options;
    const attributes = { 'work.queue': queue, 'work.attempt': item.attempts };
    const description = { kind: SpanKind.CONSUMER, attributes, continues: item.traceparent };
    await inSpan(`process ${queue}`, description, () => this.work(item, claim));
  }

  private async work(item: T, claim: Claim): Promise<void> {
    let changes: Changes<T>;
    try {
      // Its last attempt has no outcome: the process ended in it, perhaps because of it.
      if (item.attempts > this.options.maxAttempts) throw new Error('the process that worked on it was lost');
      changes = await this.handle(item, claim);
    } catch (error) {
      await this.records.threw(item, error);
      return;
    }
    await this.records.succeeded(item, changes);
  }
}
