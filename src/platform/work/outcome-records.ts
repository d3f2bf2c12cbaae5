import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import type { Model } from 'mongoose';
import { databaseDate } from '../database/database-clock.js';
import { withoutValues } from '../observability/scrub.js';
import { markFailed } from '../observability/tracing/spans.js';
import { ClaimLost } from './claim.js';
import { PermanentFailure, Postponed, UnknownWork } from './outcomes.js';
import { countFinished, MAX_BACKOFF_MS } from './work-metrics.js';
import type { Changes, WorkQueueOptions } from './work-queue-options.js';
import type { WorkItem } from './work.schema.js';

const FIRST_BACKOFF_MS = 250;
/** With the pauses between them about an hour and a half: longer than two releases run side by side. */
const MAX_TIMES_LEFT = 20;
const MAX_ERROR_LENGTH = 500;
const RECORD_PAUSE_MS = 250;

/** What the records need of the queue that works on the items. */
interface Queue {
  readonly stopped: boolean;
  nudge(): void;
}

/** Records in a queue's items how the work on them ended. */
export class OutcomeRecords<T extends WorkItem> {
  constructor(
    private readonly model: Model<T>,
    private readonly options: WorkQueueOptions,
    private readonly logger: Logger,
    private readonly queue: Queue,
  ) {}

  /** Records success, as soon as the database takes it and even if another claim holds the item: it must not be done again. */
  async succeeded(item: T, changes: Changes<T>): Promise<void> {
    countFinished(this.options.queue, 'done');
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
    } while (!this.queue.stopped);
  }

  /** Records what a handler threw: one of `outcomes.ts`, `ClaimLost`, or a failure that is tried again. */
  async threw(item: T, error: unknown): Promise<void> {
    if (error instanceof Postponed) await this.postpone(item, error.until);
    else if (error instanceof ClaimLost) this.noteLost(item, error);
    else if (error instanceof UnknownWork) await this.leave(item, error);
    else await this.fail(item, error);
  }

  private noteLost({ _id, attempts }: T, error: ClaimLost): void {
    countFinished(this.options.queue, 'postponed');
    this.logger.warn({ err: error, id: String(_id), attempts }, 'left to the process that has taken it over');
  }

  private async fail(item: T, error: unknown): Promise<void> {
    markFailed(error);
    const failed = error instanceof PermanentFailure;
    const parked = !failed && item.attempts >= this.options.maxAttempts;
    countFinished(this.options.queue, failed ? 'failed' : parked ? 'parked' : 'retry');
    const details = { err: error, id: String(item._id), attempts: item.attempts };
    if (parked) this.logger.error(details, 'parked: it keeps failing, see the runbook for parked work');
    else this.logger.warn(details, failed ? 'failed for good' : 'failed and will be tried again');
    const end = failed ? { state: 'failed' } : parked ? { state: 'parked' } : null;
    const pause = backoffMs(item.attempts, this.options.maxBackoffMs);
    await this.release(item, {
      $set: { lastError: textOf(error), ...(end ?? { availableAt: databaseDate(pause) }) },
    });
  }

  private async postpone(item: T, until: Date): Promise<void> {
    countFinished(this.options.queue, 'postponed');
    await this.release(item, { $set: { availableAt: until }, $inc: { attempts: -1 } });
  }

  /** Another process may know what this one doesn't. */
  private async leave(item: T, error: UnknownWork): Promise<void> {
    const timesLeft = (item.timesLeft ?? 0) + 1;
    const parked = timesLeft >= MAX_TIMES_LEFT;
    countFinished(this.options.queue, parked ? 'parked' : 'postponed');
    const details = { err: error, id: String(item._id), timesLeft };
    if (parked) this.logger.error(details, 'parked: no process knows it, see the runbook for parked work');
    else this.logger.warn(details, 'left to processes of another release');
    const next = parked ? { state: 'parked' } : { availableAt: databaseDate(backoffMs(timesLeft)) };
    await this.release(item, { $set: { lastError: textOf(error), timesLeft, ...next }, $inc: { attempts: -1 } });
  }

  private async release({ _id, lease }: T, change: { $set: object; $inc?: object }): Promise<void> {
    try {
      await this.model.updateOne({ _id, lease } as object, { ...change, $set: { ...change.$set, lease: null } });
      this.queue.nudge(); // it may be due sooner than the loop looks again
    } catch (error) {
      this.logger.warn({ err: error }, 'an outcome could not be recorded; the lease runs out instead');
    }
  }
}

function backoffMs(times: number, longest = MAX_BACKOFF_MS): number {
  return Math.min(FIRST_BACKOFF_MS * 2 ** (times - 1), longest) * (0.5 + Math.random());
}

/** Scrubbed before it is cut, or half a value would stay: it is kept for as long as the item. The log has the whole error. */
function textOf(error: unknown): string {
  return withoutValues(String(error)).slice(0, MAX_ERROR_LENGTH);
}
