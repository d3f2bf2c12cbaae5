import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { databaseNow } from '../database/database-clock.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { IdempotencyKeyReusedError, RequestInProgressError } from './idempotency.errors.js';
import { IdempotencyRecord, type KeptAnswer } from './idempotency-record.schema.js';

const KEPT_MS = 24 * 3600 * 1000;
/**
 * Longer than nearly all requests take, short enough for the retries of a client whose instance has died. Correctness
 * doesn't depend on it: a request whose lease was taken over can't commit any more.
 */
const LEASE_MS = 10_000;

/** What identifies a request with a key, and what may not differ when it comes again. */
export interface KeyedRequest {
  id: string;
  userId: string;
  fingerprint: string;
}

/** Requests with an idempotency key, in MongoDB: which request carries it out, and its answer. */
@Injectable()
export class IdempotencyRecords {
  constructor(@InjectModel(IdempotencyRecord.name) private readonly records: Model<IdempotencyRecord>) {}

  /**
   * @returns the record, with its answer where there is one already; without, the caller is to carry it out
   * @throws RequestInProgressError, IdempotencyKeyReusedError
   */
  claim(request: KeyedRequest): Promise<IdempotencyRecord> {
    return this.take(request, (known) => known.answer !== null);
  }

  /**
   * The same for requests whose answers aren't kept: an answer that an earlier release has kept is dropped.
   *
   * @throws RequestInProgressError, IdempotencyKeyReusedError
   */
  claimAnew(request: KeyedRequest): Promise<IdempotencyRecord> {
    return this.take(request, () => false);
  }

  private async take(
    { id, userId, fingerprint }: KeyedRequest,
    isAnswered: (known: IdempotencyRecord) => boolean,
  ): Promise<IdempotencyRecord> {
    for (;;) {
      const now = databaseNow();
      const claimed: IdempotencyRecord = {
        ...{ _id: id, user: new Types.ObjectId(userId), fingerprint, lease: randomUUID(), answer: null },
        ...{ leaseUntil: new Date(now + LEASE_MS), expiresAt: new Date(now + KEPT_MS) },
      };
      if (await this.insert(claimed)) return claimed;
      const known = await this.records.findOne({ _id: id, user: userId }).lean<IdempotencyRecord>();
      if (!known) continue;
      if (known.expiresAt.getTime() > now) {
        if (known.fingerprint !== fingerprint) throw new IdempotencyKeyReusedError();
        if (isAnswered(known)) return known;
        if (!known.answer && known.leaseUntil.getTime() > now) throw new RequestInProgressError();
      }
      const { matchedCount } = await this.records.replaceOne({ ...ownedBy(known), answer: known.answer }, claimed);
      if (matchedCount > 0) return claimed;
    }
  }

  /**
   * Stores the answer, in the transaction of the change that it describes, if there is one.
   *
   * @throws RequestInProgressError where another one carries the request out by now
   */
  async complete(claimed: IdempotencyRecord, answer: KeptAnswer, tx?: ClientSession): Promise<void> {
    const own = { ...ownedBy(claimed), answer: null };
    const { matchedCount } = await this.records.updateOne(own, { $set: { answer } }, { session: tx });
    if (matchedCount === 0) throw new RequestInProgressError();
  }

  /** Releases the key of a request that has failed, unless its transaction was committed after all. */
  async release(claimed: IdempotencyRecord): Promise<void> {
    await this.records.deleteOne({ ...ownedBy(claimed), answer: null });
  }

  /** Erases what is kept of a user. */
  async removeAll(userId: string, tx: ClientSession): Promise<void> {
    await this.records.deleteMany({ user: userId }, { session: tx });
  }

  private async insert(record: IdempotencyRecord): Promise<boolean> {
    try {
      await this.records.create(record);
      return true;
    } catch (error) {
      if (isDuplicateKey(error)) return false;
      throw error;
    }
  }
}

function ownedBy({ _id, user, lease }: IdempotencyRecord) {
  return { _id, user, lease };
}
