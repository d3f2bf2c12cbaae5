import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { sha256 } from '../../common/crypto/digest.js';
import type { ApiKeyPrincipal } from '../../common/auth/principal.js';
import { requestContext } from '../../common/http/request-context.js';
import type { ApiKeyScope } from '../../contracts/api-key-scope.js';
import type { Role } from '../../contracts/role.js';
import { ApiKeyChangedEvent, ApiKeyUsedEvent } from '../../contracts/auth.events.js';
import { databaseDate, databaseNow } from '../database/database-clock.js';
import { Transactions } from '../database/transactions.js';
import { Outbox } from '../messaging/outbox.js';
import { Revocations } from '../revocation/revocations.js';
import { ApiKey } from './api-key.schema.js';

/** Recognisable, for people and for scanners of leaked secrets. */
const API_KEY = /^sak_([0-9a-f]{24})_([\w-]{43})$/;
const USE_RECORDED_EVERY_MS = 60_000;
/** How many keys' changes one transaction publishes: more than a user may have, other than from earlier releases. */
const PUBLISHED_AT_ONCE = 100;

/** All fields that a removed key loses; the schema says which are left, and why. */
const FORGOTTEN = {
  user: 1,
  name: 1,
  secretHash: 1,
  scopes: 1,
  role: 1,
  expiresAt: 1,
  announceExpiryAt: 1,
  lastUsedAt: 1,
  createdAt: 1,
};

export interface NewApiKey {
  user: string;
  name: string;
  scopes: ApiKeyScope[];
  role: Role;
  expiresAt: Date;
  announceExpiryAt: Date | null;
}

/** Personal API keys: made, listed and removed by their owner, verified by every process. */
@Injectable()
export class ApiKeys {
  private readonly logger = new Logger(ApiKeys.name);

  /** Keys whose use is being recorded. */
  private readonly recording = new Set<string>();

  constructor(
    @InjectModel(ApiKey.name) private readonly model: Model<ApiKey>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly revocations: Revocations,
  ) {}

  /** @returns the document, and the key itself, which is not stored */
  async create(input: NewApiKey, tx: ClientSession): Promise<{ apiKey: ApiKey; key: string }> {
    const secret = randomBytes(32).toString('base64url');
    const _id = new Types.ObjectId();
    const [created] = await this.model.create([{ ...input, _id, secretHash: sha256(secret) }], { session: tx });
    const apiKey = (created as NonNullable<typeof created>).toObject();
    await this.outbox.add([granted(apiKey)], tx);
    return { apiKey, key: `sak_${String(_id)}_${secret}` };
  }

  async list(userId: string): Promise<ApiKey[]> {
    return await this.model.find({ user: userId }).sort({ _id: 1 }).lean();
  }

  /** @returns how many of a user's keys are valid */
  async countValid(userId: string, tx: ClientSession): Promise<number> {
    const valid = { $or: [{ expiresAt: null }, { expiresAt: { $gt: databaseDate() } }] };
    return await this.model.countDocuments({ user: userId, ...valid }).session(tx);
  }

  /** @returns up to `limit` keys whose owners are due to be notified that they expire */
  async findUnannounced(limit: number): Promise<ApiKey[]> {
    return await this.model
      .find({ announceExpiryAt: { $gt: new Date(0), $lte: databaseDate() } })
      .sort({ announceExpiryAt: 1 })
      .limit(limit)
      .lean();
  }

  /**
   * Records that a key's expiry has been announced.
   *
   * @param next when to announce it again; null for never
   * @returns false where the key has changed meanwhile
   */
  async markAnnounced({ _id, announceExpiryAt }: ApiKey, next: Date | null, tx: ClientSession): Promise<boolean> {
    const change = { $set: { announceExpiryAt: next } };
    return (await this.model.updateOne({ _id, announceExpiryAt }, change, { session: tx })).modifiedCount > 0;
  }

  /** @returns whether there was such a key of this user's */
  async remove(userId: string, id: string, tx: ClientSession): Promise<boolean> {
    const apiKey = await this.model.findOne({ _id: id, user: userId }, null, { session: tx }).lean();
    if (!apiKey) return false;
    await this.recordDeletion(id, apiKey.version + 1, tx);
    await this.revocations.endApiKeys(userId, [id], tx);
    return true;
  }

  /** Removes all of a user's keys, in one statement however many there are. */
  async removeAll(userId: string, tx: ClientSession): Promise<void> {
    const change = { $set: { removedAt: databaseDate() }, $inc: { version: 1 }, $unset: FORGOTTEN };
    await this.changeAll(userId, change, { removedAt: change.$set.removedAt }, tx);
  }

  /** Gives all of a user's keys another role, in one statement however many there are. */
  async changeRole(userId: string, role: Role, tx: ClientSession): Promise<void> {
    await this.changeAll(userId, { $set: { role }, $inc: { version: 1 } }, { role }, tx);
  }

  /**
   * Publishes the changes of keys that were too many for the transaction that changed them, in batches. Several processes
   * may do it at once.
   */
  async publishChanges(): Promise<void> {
    while ((await this.transactions.run((tx) => this.publishBatch(tx))) === PUBLISHED_AT_ONCE);
  }

  /**
   * Changes all of a user's keys. What other processes must know of it is published with it, except for keys beyond
   * `PUBLISHED_AT_ONCE`: those follow in batches, so that the transaction stays short.
   *
   * @param changed the fields of the change that are published
   */
  private async changeAll(
    userId: string,
    change: { $set: object; $inc: object; $unset?: object },
    changed: Partial<ApiKey>,
    tx: ClientSession,
  ): Promise<void> {
    const keys = await this.model.find({ user: userId }, null, { session: tx }).limit(PUBLISHED_AT_ONCE).lean();
    if (keys.length === 0) return;
    const mayBeMore = keys.length === PUBLISHED_AT_ONCE;
    const unpublished = mayBeMore && { unpublishedOf: new Types.ObjectId(userId) };
    await this.model.updateMany(
      { user: userId },
      { ...change, $set: { ...change.$set, ...unpublished } },
      { session: tx },
    );
    const published = keys.map((key) => ({ ...key, ...changed, version: key.version + 1 }));
    await this.publish(userId, published, tx);
    if (!mayBeMore) return;
    this.transactions.afterCommit(() => {
      // Not part of the request, which neither waits for it nor limits how long it takes.
      requestContext
        .exit(() => this.publishChanges())
        .catch((error: unknown) => {
          this.logger.warn({ err: error }, 'changes of API keys could not be published and will be later');
        });
    }, tx);
  }

  private async publishBatch(tx: ClientSession): Promise<number> {
    const keys = await this.model
      .find({ unpublishedOf: { $exists: true } }, null, { session: tx })
      .sort({ unpublishedOf: 1 })
      .limit(PUBLISHED_AT_ONCE)
      .lean();
    if (keys.length === 0) return 0;
    const owners = new Set(keys.map(({ unpublishedOf }) => String(unpublishedOf)));
    for (const owner of owners) {
      await this.publish(
        owner,
        keys.filter(({ unpublishedOf }) => String(unpublishedOf) === owner),
        tx,
      );
    }
    const ids = keys.map(({ _id }) => _id);
    await this.model.updateMany({ _id: { $in: ids } }, { $unset: { unpublishedOf: 1 } }, { session: tx });
    return keys.length;
  }

  private async publish(userId: string, keys: ApiKey[], tx: ClientSession): Promise<void> {
    const removed = keys.filter(({ removedAt }) => removedAt).map(({ _id }) => String(_id));
    await this.outbox.add(
      keys.map((key) => (key.removedAt ? gone(key) : granted(key))),
      tx,
    );
    await this.revocations.endApiKeys(userId, removed, tx);
  }

  /** Copies a key from an event of another process; an older version than the stored one changes nothing. */
  async copy(id: string, { version, grant }: ApiKeyChangedEvent['data'], tx: ClientSession): Promise<void> {
    const known = await this.model.findById(id, null, { session: tx }).lean();
    if (known && known.version >= version) return;
    if (!grant) return await this.forget(id, version, tx);
    const { userId, secretHash, scopes, role, expiresAt } = grant;
    const user = new Types.ObjectId(userId);
    const change = { user, secretHash, scopes, role, expiresAt: expiresAt && new Date(expiresAt), version };
    const isNew = { name: '', lastUsedAt: null, createdAt: databaseDate() };
    await this.model.updateOne({ _id: id }, { $set: change, $setOnInsert: isNew }, { session: tx, upsert: true });
  }

  /** Copies the time of a key's last use from another process. */
  async copyUse(id: string, usedAt: string, tx: ClientSession): Promise<void> {
    const live = { _id: id, removedAt: { $exists: false } };
    await this.model.updateOne(live, { $max: { lastUsedAt: new Date(usedAt) } }, { session: tx });
  }

  /** @returns the key's owner; null for anything but a valid key */
  async verify(key: string): Promise<ApiKeyPrincipal | null> {
    const [, id, secret] = API_KEY.exec(key) ?? [];
    if (id === undefined || secret === undefined) return null;
    const apiKey = await this.model.findById(id).lean();
    if (!apiKey || apiKey.removedAt || !equal(apiKey.secretHash, sha256(secret))) return null;
    const now = databaseNow();
    if (apiKey.expiresAt && apiKey.expiresAt.getTime() <= now) return null;
    if (now - (apiKey.lastUsedAt?.getTime() ?? 0) > USE_RECORDED_EVERY_MS) this.recordUse(id, new Date(now));
    return { userId: String(apiKey.user), role: apiKey.role, apiKey: { id, scopes: apiKey.scopes } };
  }

  /** Not awaited: the request needn't wait for its own record. */
  private recordUse(id: string, at: Date): void {
    if (this.recording.has(id)) return;
    this.recording.add(id);
    this.transactions
      .run(async (tx) => {
        await this.copyUse(id, at.toISOString(), tx);
        await this.outbox.add([new ApiKeyUsedEvent(id, { usedAt: at.toISOString() })], tx);
      })
      .catch((error: unknown) => this.logger.warn({ err: error }, 'the use of an API key could not be recorded'))
      .finally(() => this.recording.delete(id));
  }

  private async recordDeletion(id: string, version: number, tx: ClientSession): Promise<void> {
    await this.forget(id, version, tx);
    await this.outbox.add([new ApiKeyChangedEvent(id, { version, grant: null })], tx);
  }

  private async forget(id: string, version: number, tx: ClientSession): Promise<void> {
    const removed = { version, removedAt: databaseDate() };
    await this.model.replaceOne({ _id: id }, removed, { session: tx, upsert: true, runValidators: false });
  }
}

function gone({ _id, version }: Pick<ApiKey, '_id' | 'version'>): ApiKeyChangedEvent {
  return new ApiKeyChangedEvent(String(_id), { version, grant: null });
}

/** Says what it takes to verify a key. */
function granted({ _id, version, ...key }: ApiKey): ApiKeyChangedEvent {
  const { secretHash, scopes, role } = key;
  const expiresAt = key.expiresAt?.toISOString() ?? null;
  const grant = { userId: String(key.user), secretHash, scopes, role, expiresAt };
  return new ApiKeyChangedEvent(String(_id), { version, grant });
}

function equal(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
