import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { AnyBulkWriteOperation, ClientSession, Model, QueryFilter } from 'mongoose';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import type { AccountState, SessionsRevokedEvent } from '../../contracts/auth.events.js';
import { databaseNow } from '../database/database-clock.js';
import type { Ending } from './known-endings.js';
import { Revocation, REVOCATIONS_KEPT_SECONDS, revocationId } from './revocation.schema.js';

/** A database that is silent for this long is unavailable: requests get a 503 instead of waiting with it. */
const READ_TIMEOUT_MS = 2000;
/**
 * How far each read looks back: covers the time between the write of an entry and its commit, and the inaccuracy of
 * `databaseNow`.
 */
export const READ_OVERLAP_MS = 30_000;
/** How much longer than an access token lives an entry is kept in memory: covers clocks of instances that differ. */
const CLOCK_MARGIN_MS = 300_000;
/** By the database's clock, which is the one that `excerpt` compares with: clocks of instances may differ. */
const RECORDED_NOW = { $currentDate: { recordedAt: true } } as const;

/** The feed of ended access as it is stored in this process's database. */
@Injectable()
export class RevocationFeed {
  /** How long an entry matters after it was recorded: longer than an access token lives. In milliseconds. */
  readonly keepMs: number;
  /**
   * For how long after a read it is enough to read what came since, in milliseconds: what came since matters still, and
   * is still stored.
   */
  readonly resumableMs: number;

  constructor(
    @InjectModel(Revocation.name) private readonly model: Model<Revocation>,
    { ACCESS_TOKEN_TTL_SECONDS: ttl }: AuthEnvironment,
  ) {
    this.keepMs = ttl * 1000 + CLOCK_MARGIN_MS;
    this.resumableMs = Math.min(this.keepMs, REVOCATIONS_KEPT_SECONDS * 1000 - CLOCK_MARGIN_MS);
  }

  /** Stores what a decision ends. The same decision twice changes nothing. @returns its endings */
  async store(userId: string, data: SessionsRevokedEvent['data'], tx: ClientSession): Promise<Ending[]> {
    const { sessionIds, apiKeyIds = [], tokensValidFrom, account } = data;
    const at = Date.parse(data.revokedAt);
    const endings: Ending[] = [
      ...sessionIds.map((subject) => ({ kind: 'session' as const, subject, at })),
      ...apiKeyIds.map((subject) => ({ kind: 'key' as const, subject, at })),
    ];
    if (tokensValidFrom) endings.push({ kind: 'user', subject: userId, at: Date.parse(tokensValidFrom) });
    const writes: AnyBulkWriteOperation<Revocation>[] = endings.map(({ kind, subject, at }) => ({
      updateOne: {
        filter: { _id: revocationId(kind, subject) },
        update: { $set: { kind, subject }, $max: { at: new Date(at) }, ...RECORDED_NOW },
        upsert: true,
      },
    }));
    if (account && (await this.isNewer(userId, account, tx))) {
      endings.push({ kind: 'account', subject: userId, at, account });
      writes.push(...(await this.accountWrites(userId, account, new Date(at), tx)));
    }
    if (writes.length > 0) await this.model.bulkWrite(writes, { session: tx });
    return endings;
  }

  /**
   * What was recorded after `since`, a time of this database in milliseconds. Null for everything that still matters,
   * with the latest decision about each account that is or was suspended, however long ago: a process that missed the
   * end of a suspension needs it.
   */
  async excerpt(since: number | null): Promise<{ endings: Ending[]; readAt: number }> {
    const readAt = databaseNow();
    const standing = since === null ? await this.read({ _id: { $gt: 'standing:', $lt: 'standing;' } }) : [];
    // Another server that became the primary may have an earlier time.
    const from = since === null ? readAt - this.keepMs : Math.min(since, readAt - READ_OVERLAP_MS);
    const recent = await this.read({ recordedAt: { $gt: new Date(from) } });
    return { endings: [...standing, ...recent], readAt };
  }

  /** What there is about a user, and about a session or key. */
  async readOf(userId: string, credential?: { kind: 'session' | 'key'; id: string }): Promise<Ending[]> {
    const ids = (['user', 'account', 'standing'] as const).map((kind) => revocationId(kind, userId));
    if (credential) ids.push(revocationId(credential.kind, credential.id));
    return await this.read({ _id: { $in: ids } });
  }

  private async isNewer(userId: string, { version }: AccountState, tx: ClientSession): Promise<boolean> {
    const ids = [revocationId('account', userId), revocationId('standing', userId)];
    const known = await this.model.exists({ _id: { $in: ids }, version: { $gte: version } }).session(tx);
    return known === null;
  }

  /** An account that was never suspended needs no `standing` entry; that of a deleted account expires like other entries. */
  private async accountWrites(
    userId: string,
    state: AccountState,
    at: Date,
    tx: ClientSession,
  ): Promise<AnyBulkWriteOperation<Revocation>[]> {
    const write = (kind: 'account' | 'standing', expires: boolean) => ({
      updateOne: {
        filter: { _id: revocationId(kind, userId) },
        update: { $set: { kind, subject: userId, at, ...state }, ...(expires && RECORDED_NOW) },
        upsert: true,
      },
    });
    const standing = revocationId('standing', userId);
    const needsStanding = state.status === 'suspended' || (await this.model.exists({ _id: standing }).session(tx));
    return [write('account', true), ...(needsStanding ? [write('standing', state.status === 'deleted')] : [])];
  }

  private async read(filter: QueryFilter<Revocation>): Promise<Ending[]> {
    const entries = await this.model
      .find(filter, null, { signal: AbortSignal.timeout(READ_TIMEOUT_MS) })
      .lean<Revocation[]>();
    return entries.map(toEnding);
  }
}

function toEnding({ kind, subject, at, version, role, status }: Revocation): Ending {
  if (kind !== 'account' && kind !== 'standing') return { kind, subject, at: at.getTime() };
  return { kind: 'account', subject, at: at.getTime(), account: { version, role, status } as AccountState };
}
