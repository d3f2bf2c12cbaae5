import { randomUUID } from 'node:crypto';
import type { Logger } from '@nestjs/common';
import type { Model } from 'mongoose';
import { databaseDate, databaseNow } from '../database/database-clock.js';
import { Claim } from './claim.js';
import { FairClaims } from './fair-claims.js';
import { leaseMsOf, nextPollMsOf, type WorkQueueOptions } from './work-queue-options.js';
import type { WorkItem } from './work.schema.js';

/** Where nothing may be claimed at the moment, in milliseconds. */
const PAUSE_MS = 1_000;

/** An item that this process may work on. */
export interface ClaimedItem<T> {
  item: T;
  claim: Claim;
}

/** Claims a queue's items for this process, the one that has been due for longest first. */
export class ItemClaims<T extends WorkItem> {
  private readonly fairness = new FairClaims();
  private readonly leaseMs: number;

  constructor(
    private readonly model: Model<T>,
    private readonly options: WorkQueueOptions,
    private readonly logger: Logger,
  ) {
    this.leaseMs = leaseMsOf(options);
  }

  /** @returns null where nothing is due, or nothing can be claimed at the moment */
  async next(): Promise<ClaimedItem<T> | null> {
    const claimable = this.claimable();
    if (claimable === null) return null;
    const claimedAt = performance.now();
    try {
      const item = await this.claimFairly(claimable);
      return item && { item, claim: this.claimOf(item, claimedAt) };
    } catch (error) {
      this.logger.warn({ err: error }, 'no work can be claimed at the moment');
      return null;
    }
  }

  /** @returns the milliseconds until an item is due, zero where one is; at most the time until the next poll */
  async nextDueInMs(): Promise<number> {
    const pollMs = nextPollMsOf(this.options);
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

  /** @returns a further filter; null where nothing may be claimed at the moment */
  private claimable(): object | null {
    return this.options.claimable ? this.options.claimable() : {};
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
}
