import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { databaseDate, databaseNow } from '../database/database-clock.js';
import { isDuplicateKey } from '../database/duplicate-key.js';
import type { BatchResult } from './migration.js';
import { MigrationEntry } from './migration-entry.schema.js';

/** Longer than any batch takes: it is renewed with each. */
const LEASE_MS = 60_000;

/** A migration that this runner works on, as long as its lease lasts. */
export interface ClaimedMigration extends MigrationEntry {
  lease: string;
}

/** The record of which migrations have run in this database, and which runner works on one. */
@Injectable()
export class Ledger {
  constructor(@InjectModel(MigrationEntry.name) private readonly entries: Model<MigrationEntry>) {}

  /** Those of these migrations that are recorded as completed. */
  async completed(ids: string[]): Promise<Set<string>> {
    if (ids.length === 0) return new Set();
    const done = await this.entries.find({ _id: { $in: ids }, completedAt: { $ne: null } }, { _id: 1 }).lean();
    return new Set(done.map(({ _id }) => _id));
  }

  async find(id: string): Promise<MigrationEntry | null> {
    return await this.entries.findById(id).lean();
  }

  /** Records migrations as completed that have nothing to do here. */
  async recordCompleted(ids: string[]): Promise<void> {
    if (ids.length === 0) return;
    const now = databaseDate();
    const rest = { startedAt: now, completedAt: now, position: null, changed: 0, lease: null, leaseUntil: now };
    const entries = ids.map((_id) => ({ _id, ...rest }));
    await this.entries.insertMany(entries, { ordered: false }).catch((error: unknown) => {
      if (!isDuplicateKey(error)) throw error; // another runner does the same
    });
  }

  /** @returns null where it is completed, or another runner works on it */
  async claim(id: string): Promise<ClaimedMigration | null> {
    const now = databaseDate();
    try {
      return await this.entries
        .findOneAndUpdate(
          { _id: id, completedAt: null, leaseUntil: { $lte: now } },
          {
            $set: { lease: randomUUID(), leaseUntil: new Date(now.getTime() + LEASE_MS) },
            $setOnInsert: { startedAt: now, position: null, changed: 0 },
          },
          { upsert: true, returnDocument: 'after' },
        )
        .lean<ClaimedMigration>();
    } catch (error) {
      if (isDuplicateKey(error)) return null;
      throw error;
    }
  }

  /**
   * Records a batch, and the end of the migration with the last one; renews the lease.
   *
   * @throws Error if another runner has taken the migration over
   */
  async record({ _id, lease }: ClaimedMigration, { changed, position }: BatchResult): Promise<void> {
    const now = databaseNow();
    const next = { position, leaseUntil: new Date(now + LEASE_MS) };
    const end = { position: null, completedAt: new Date(now), lease: null, leaseUntil: new Date(now) };
    const update = { $set: position === null ? end : next, $inc: { changed } };
    const { matchedCount } = await this.entries.updateOne({ _id, lease }, update);
    if (matchedCount === 0) throw new Error(`Another runner has taken over the migration ${_id}.`);
  }

  /** Lets another runner go on at once. */
  async release({ _id, lease }: ClaimedMigration): Promise<void> {
    await this.entries.updateOne({ _id, lease }, { $set: { lease: null, leaseUntil: databaseDate() } });
  }
}
