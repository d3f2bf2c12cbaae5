import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { Quota } from './quota.schema.js';

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
   * Takes one, in the transaction of what it is for; of two that take at once, one begins anew.
   *
   * @param kind what is counted
   * @param subject whom it is counted for, such as an address or a number; only a hash is kept
   * @returns null where there was one to take, or else when there will be
   */
  async take(
    kind: string,
    subject: string,
    { limit, windowMs }: Allowance,
    session: ClientSession,
  ): Promise<Date | null> {
    const _id = `${kind}:${createHash('sha256').update(subject).digest('base64url')}`;
    const now = Date.now();
    const quota = await this.quotas.findById(_id, null, { session }).lean();
    const recent = (quota?.takenAt ?? []).filter((at) => at.getTime() > now - windowMs);
    const [oldest] = recent.slice(-limit);
    if (oldest && recent.length >= limit) return new Date(oldest.getTime() + windowMs);
    const changes = { takenAt: [...recent, new Date(now)], expiresAt: new Date(now + windowMs) };
    await this.quotas.updateOne({ _id }, { $set: changes }, { session, upsert: true });
    return null;
  }
}
