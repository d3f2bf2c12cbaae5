import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { sha256 } from '../../common/crypto/digest.js';
import { databaseNow } from '../database/database-clock.js';
import { Quota } from './quota.schema.js';

const DAY_MS = 24 * 3_600_000;

export interface Allowance {
  /** How many in any period of this length. */
  limit: number;
  windowMs: number;
}

/** Counts what must not come too often, in MongoDB: a limit that people's mailboxes and money hang on outlives Redis. */
@Injectable()
export class Quotas {
  constructor(@InjectModel(Quota.name) private readonly quotas: Model<Quota>) {}

  /**
   * Takes one, in the transaction of what it is for; of two parallel ones, one is repeated.
   *
   * @param kind what is counted
   * @param subject whom it is counted for, such as an address or a number; only a hash is kept
   * @returns null where there was one to take, or else when there will be
   */
  async take(kind: string, subject: string, { limit, windowMs }: Allowance, tx: ClientSession): Promise<Date | null> {
    const _id = `${kind}:${sha256(subject)}`;
    const now = databaseNow();
    const quota = await this.quotas.findById(_id, null, { session: tx }).lean();
    const recent = (quota?.takenAt ?? []).filter((at) => at.getTime() > now - windowMs);
    const [oldest] = recent.slice(-limit);
    if (oldest && recent.length >= limit) return new Date(oldest.getTime() + windowMs);
    const changes = { takenAt: [...recent, new Date(now)], expiresAt: new Date(now + windowMs) };
    await this.quotas.updateOne({ _id }, { $set: changes }, { session: tx, upsert: true });
    return null;
  }

  /**
   * Takes several of a day's quota, in the transaction of what they are for; of two parallel ones, one is repeated. A
   * day is one of UTC.
   *
   * @param limit how many there are for a day, in all
   * @param wanted how many to take
   * @returns how many were taken: fewer than `wanted` where the rest of the day's quota is smaller
   */
  async takeOfDay(
    kind: string,
    subject: string,
    { limit, wanted }: { limit: number; wanted: number },
    tx: ClientSession,
  ): Promise<number> {
    const now = databaseNow();
    const day = new Date(now).toISOString().slice(0, 10);
    const _id = `${kind}:${day}:${sha256(subject)}`;
    const quota = await this.quotas.findById(_id, { count: 1 }, { session: tx }).lean();
    const taken = Math.min(wanted, Math.max(0, limit - (quota?.count ?? 0)));
    // An exhausted quota is only read, so what comes after it costs no write and conflicts with nothing.
    if (taken === 0) return 0;
    const onInsert = { takenAt: [], expiresAt: new Date(now + 2 * DAY_MS) };
    await this.quotas.updateOne(
      { _id },
      { $inc: { count: taken }, $setOnInsert: onInsert },
      { session: tx, upsert: true },
    );
    return taken;
  }
}
