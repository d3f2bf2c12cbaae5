import { randomUUID } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { Model } from 'mongoose';
import { databaseDate, databaseNow } from '../database/database-clock.js';
import { inSpan, markFailed } from '../observability/tracing/spans.js';
import { Claim, ClaimLost } from './claim.js';
import { FairClaims } from './fair-claims.js';
import { PermanentFailure, Postponed, UnknownWork } from './outcomes.js';
import { countFinished, MAX_BACKOFF_MS, observeQueue } from './work-metrics.js';
import type { WorkItem } from './work.schema.js';

export interface WorkQueueOptions {
  /** Names the queue in logs and metrics. */
  name: string;
  /** How many items one process works on at once. */
  concurrency: number;
  /** After this many attempts without success an item is parked; one whose process was lost counts. */
  maxAttempts: number;
  /** The longest pause before the next attempt, in milliseconds. */
  maxBackoffMs?: number;
  /** What becomes of finished items; `leave`: the handler itself has seen to that. */
  whenDone: 'delete' | 'keep' | 'leave';
  /** How long a claim lasts, in milliseconds; longer than any item takes. */
  leaseMs?: number;
  /** Which of the collection's items are this queue's, where several queues share one: a filter. */
  scope?: object;
  /** Asked before each claim: a further filter, or null where nothing may be claimed at the moment. */
  claimable?: () => object | null;
  /** The field that names an item's owner; where given, claims are fair between owners (`FairClaims`). */
  fairBetween?: string;
  /** How often an idle process looks for work that another process has added, in milliseconds. Its own is nudged. */
  pollMs?: number;
}

const DEFAULT_LEASE_MS = 60_000;
const DEFAULT_POLL_MS = 3_000;
/** How long after the last work an idle process first looks for more, in milliseconds. */
const FIRST_LOOK_MS = 250;
/** Where nothing may be claimed at the moment, in milliseconds. */
const PAUSE_MS = 1_000;
const FIRST_BACKOFF_MS = 250;
/** With the pauses between them about an hour and a half: longer than two releases run side by side. */
const MAX_TIMES_LEFT = 20;
const MAX_ERROR_LENGTH = 500;
const RECORD_PAUSE_MS = 250;

/** What finishing an item writes into it. */
type Changes<T> = Partial<T> | void;

/**
 * Durable work in MongoDB, once for all of it: items are claimed with a lease by whichever process is free, tried again
 * with growing, jittered pauses, and parked when they keep failing. An item is worked on at least once; its handler
 * makes that "once in effect".
 */
export class WorkQueue<T extends WorkItem> {
  private readonly logger: Logger;
  private readonly running = new Set<Promise<void>>();
  private loop?: Promise<void>;
  private readonly fairness = new FairClaims();
  private readonly leaseMs: number;
  private stopped = false;
  private nudged = false;
  private wake: () => void = () => undefined;

  constructor(
    private readonly model: Model<T>,
    private readonly handle: (item: T, claim: Claim) => Promise<Changes<T>>,
    private readonly options: WorkQueueOptions,
  ) {
    this.logger = new Logger(`WorkQueue:${options.name}`);
    this.leaseMs = options.leaseMs ?? DEFAULT_LEASE_MS;
  }

  start(): void {
    const model = this.model as unknown as Model<WorkItem>;
    observeQueue(this.options.name, { model, scope: this.options.scope ?? {} });
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
      const claimedAt = performance.now();
      const item = await this.claim();
      if (item === null) {
        await this.idle();
        continue;
      }
      const work: Promise<void> = this.workTraced(item, this.claimOf(item, claimedAt)).finally(() =>
        this.running.delete(work),
      );
      this.running.add(work);
    }
  }

  /**
   * Until work is due, or a nudge. It looks at what is planned, or was added by other processes: one indexed read each
   * time, which is not made while nudges follow each other.
   */
  private async idle(): Promise<void> {
    let pauseMs = Math.min(FIRST_LOOK_MS, this.pollMs);
    while (pauseMs > 0 && !this.nudged && !this.stopped) {
      await this.pause(pauseMs);
      if (!this.nudged && !this.stopped) pauseMs = await this.nextDueInMs();
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

  /** @returns zero where an item is due; at most the time until the next poll, jittered so that instances don't poll in step */
  private async nextDueInMs(): Promise<number> {
    const { pollMs } = this;
    const claimable = this.claimable();
    if (claimable === null) return Math.min(PAUSE_MS, pollMs);
    try {
      const filter = { ...this.options.scope, state: 'ready', ...claimable } as object;
      const next = await this.model.findOne(filter, { availableAt: 1 }, { sort: { availableAt: 1 } }).lean<WorkItem>();
      return next ? Math.min(Math.max(next.availableAt.getTime() - databaseNow(), 0), pollMs) : pollMs;
    } catch (error) {
      this.logger.warn({ err: error }, 'no work can be claimed at the moment');
      return Math.min(PAUSE_MS, pollMs);
    }
  }

  private get pollMs(): number {
    return (this.options.pollMs ?? DEFAULT_POLL_MS) * (0.75 + Math.random() / 2);
  }

  /** @returns a further filter; null where nothing may be claimed at the moment */
  private claimable(): object | null {
    return this.options.claimable ? this.options.claimable() : {};
  }

  private async claim(): Promise<T | null> {
    const claimable = this.claimable();
    if (claimable === null) return null;
    try {
      return await this.claimFairly(claimable);
    } catch (error) {
      this.logger.warn({ err: error }, 'no work can be claimed at the moment');
      return null;
    }
  }

  private async claimFairly(claimable: object): Promise<T | null> {
    const { fairBetween } = this.options;
    if (!fairBetween) return await this.claimFirst(claimable);
    const passedOver = this.fairness.passedOver(databaseNow());
    let item: T | null = null;
    if (passedOver.length > 0) {
      item = await this.claimFirst({ ...claimable, [fairBetween]: { $nin: passedOver } });
      if (!item) this.fairness.foundNobodyElse(databaseNow());
    }
    item ??= await this.claimFirst(claimable);
    if (item) this.fairness.noteServed(String(item[fairBetween as keyof T]), databaseNow());
    return item;
  }

  /** Claims the item that has been due for longest. */
  private async claimFirst(filter: object): Promise<T | null> {
    const now = databaseNow();
    return await this.model
      .findOneAndUpdate(
        { ...this.options.scope, state: 'ready', availableAt: { $lte: new Date(now) }, ...filter } as object,
        {
          $set: { availableAt: new Date(now + this.leaseMs), lease: randomUUID() },
          $inc: { attempts: 1 },
        },
        { sort: { availableAt: 1 }, returnDocument: 'after' },
      )
      .lean<T>();
  }

  private claimOf({ _id, lease }: T, claimedAt: number): Claim {
    const renew = async () => {
      const renewed = { $set: { availableAt: databaseDate(this.leaseMs) } };
      return (await this.model.updateOne({ _id, lease } as object, renewed)).matchedCount > 0;
    };
    return new Claim(renew, this.leaseMs, claimedAt);
  }

  private async workTraced(item: T, claim: Claim): Promise<void> {
    const { name } = this.options;
    const attributes = { 'work.queue': name, 'work.attempt': item.attempts };
    const description = { kind: SpanKind.CONSUMER, attributes, continues: item.traceparent };
    await inSpan(`process ${name}`, description, () => this.work(item, claim));
  }

  private async work(item: T, claim: Claim): Promise<void> {
    let changes: Changes<T>;
    if (item.attempts > this.options.maxAttempts) {
      // Its last attempt has no outcome: the process ended in it, perhaps because of it.
      await this.fail(item, new Error('whoever worked on it was lost'));
      return;
    }
    try {
      changes = await this.handle(item, claim);
    } catch (error) {
      if (error instanceof Postponed) await this.postpone(item, error.until);
      else if (error instanceof ClaimLost) this.noteLost(item, error);
      else if (error instanceof UnknownWork) await this.leave(item, error);
      else await this.fail(item, error);
      return;
    }
    await this.finish(item, changes);
  }

  private noteLost({ _id, attempts }: T, error: ClaimLost): void {
    countFinished(this.options.name, 'postponed');
    this.logger.warn({ err: error, id: String(_id), attempts }, 'left to the process that has taken it over');
  }

  /** What was done must not be done again: it is noted as soon as the database takes it, whoever holds the item then. */
  private async finish(item: T, changes: Changes<T>): Promise<void> {
    countFinished(this.options.name, 'done');
    if (this.options.whenDone === 'leave') return;
    const done = { ...changes, state: 'done', lease: null, lastError: null };
    do {
      try {
        if (this.options.whenDone === 'delete') await this.model.deleteOne({ _id: item._id } as object);
        else await this.model.updateOne({ _id: item._id, state: 'ready' } as object, { $set: done });
        return;
      } catch (error) {
        this.logger.warn({ err: error, id: String(item._id) }, 'done, which could not be recorded yet');
        await delay(RECORD_PAUSE_MS);
      }
    } while (!this.stopped);
  }

  private async fail(item: T, error: unknown): Promise<void> {
    markFailed(error);
    const failed = error instanceof PermanentFailure;
    const parked = !failed && item.attempts >= this.options.maxAttempts;
    const { maxBackoffMs = MAX_BACKOFF_MS } = this.options;
    const pause = Math.min(FIRST_BACKOFF_MS * 2 ** (item.attempts - 1), maxBackoffMs) * (0.5 + Math.random());
    countFinished(this.options.name, failed ? 'failed' : parked ? 'parked' : 'retry');
    const details = { err: error, id: String(item._id), attempts: item.attempts };
    if (parked) this.logger.error(details, 'parked: it keeps failing, see the runbook for parked work');
    else this.logger.warn(details, failed ? 'failed for good' : 'failed and will be tried again');
    const end = failed ? { state: 'failed' } : parked ? { state: 'parked' } : null;
    await this.release(item, {
      $set: {
        lastError: String(error).slice(0, MAX_ERROR_LENGTH),
        ...(end ?? { availableAt: databaseDate(pause) }),
      },
    });
  }

  private async postpone(item: T, until: Date): Promise<void> {
    countFinished(this.options.name, 'postponed');
    await this.release(item, { $set: { availableAt: until }, $inc: { attempts: -1 } });
  }

  /** Another process may know what this one doesn't. */
  private async leave(item: T, error: UnknownWork): Promise<void> {
    const timesLeft = (item.timesLeft ?? 0) + 1;
    const parked = timesLeft >= MAX_TIMES_LEFT;
    countFinished(this.options.name, parked ? 'parked' : 'postponed');
    const details = { err: error, id: String(item._id), timesLeft };
    if (parked) this.logger.error(details, 'parked: no process knows it, see the runbook for parked work');
    else this.logger.warn(details, 'left to processes of another release');
    const pause = Math.min(FIRST_BACKOFF_MS * 2 ** (timesLeft - 1), MAX_BACKOFF_MS) * (0.5 + Math.random());
    const next = parked ? { state: 'parked' } : { availableAt: databaseDate(pause) };
    await this.release(item, {
      $set: { lastError: String(error).slice(0, MAX_ERROR_LENGTH), timesLeft, ...next },
      $inc: { attempts: -1 },
    });
  }

  private async release({ _id, lease }: T, change: { $set: object; $inc?: object }): Promise<void> {
    try {
      await this.model.updateOne({ _id, lease } as object, { ...change, $set: { ...change.$set, lease: null } });
      this.nudge(); // it may be due sooner than the loop looks again
    } catch (error) {
      this.logger.warn({ err: error }, 'an outcome could not be recorded; the lease runs out instead');
    }
  }
}
