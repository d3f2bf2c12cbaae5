import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState, EPOCH, type Epoch } from './cache-state.schema.js';

/** How long what MongoDB was seen to hold may be relied on, from before it was asked. */
export const LEASE_MS = 500;
/** Renewed in passing from this age on, so that requests rarely wait for it. */
const RENEW_AFTER_MS = 250;
/** How often an answer that came too late to be relied on, in a burst of requests say, is asked for again. */
const ATTEMPTS = 3;
/** For how long the epoch's Redis may be another than ours before we look for it anew. */
const RECONNECT_AFTER_MS = 5000;

/** What one look at MongoDB showed. */
interface Sight {
  /** By the monotonic clock, before the question was sent. */
  at: number;
  epoch: Epoch | null;
  /** The oldest flag. */
  flag: string | null;
}

/** Where answers may be looked for or dropped. */
export interface Lease {
  /** The epoch whose keys count. */
  epoch: string;
  /** Somebody couldn't make a write known: nothing may be served. Invalidations count all the same. */
  flagged: boolean;
}

/**
 * What every process must know of the others before it serves from the cache or trusts an invalidation: that there is no
 * flag, and which Redis and keys all of them use. It is read from MongoDB and relied on for `LEASE_MS`; so whoever
 * has changed it need only wait that long for everybody to act on it, and no clocks are compared.
 */
@Injectable()
export class CacheLease {
  private readonly logger = new Logger(CacheLease.name);
  private last: Sight = { at: -Infinity, epoch: null, flag: null };
  private renewal?: Promise<void>;
  /** A flag, and since when this process has seen it. */
  private standing?: { flag: string; since: number };
  /** An epoch that isn't settled, and since when this process has seen it. */
  private unsettled?: { epoch: string; since: number };
  /** The server of an epoch that was ours: if the epoch moves on without us, we are the ones who are lost. */
  private agreed?: string;
  private disagreedAt?: number;

  constructor(
    @InjectModel(CacheState.name) private readonly model: Model<CacheState>,
    private readonly redis: CacheRedis,
  ) {}

  /**
   * What is certain at this moment. That is enough for a reader, however long it then takes: a write it mustn't miss was
   * acknowledged before its request, so `LEASE_MS` before that its flag stood (docs/architecture.md).
   *
   * @returns null where nothing is: no Redis, another one than the others', or no answer of MongoDB's in time
   */
  async get(): Promise<Lease | null> {
    if (this.age > RENEW_AFTER_MS) void this.renewTogether();
    for (let attempt = 0; this.age > LEASE_MS && attempt < ATTEMPTS; attempt++) await this.renewTogether();
    return this.age > LEASE_MS ? null : this.leaseOf(this.last);
  }

  /** Whether a lease's epoch is the one in use now, that is after what was done under the lease. */
  async isCurrent({ epoch }: Lease): Promise<boolean> {
    const askedAt = performance.now();
    if (this.age > LEASE_MS) await this.renew();
    return this.last.at > askedAt - LEASE_MS && this.leaseOf(this.last)?.epoch === epoch;
  }

  /** Resolves once nobody can hold a lease from before a flag that has just been set (and acknowledged). */
  async untilEverybodyKnows(): Promise<void> {
    const setAt = performance.now();
    const since = this.standing;
    const sight = await this.look().catch(() => null); // then it is waited for
    const stoodAllAlong = sight?.flag === since?.flag && since !== undefined && setAt - since.since >= LEASE_MS;
    if (!stoodAllAlong) await delay(setAt + LEASE_MS - performance.now());
  }

  /** Looks, and does what the epoch needs done. Called now and then, so that it doesn't wait for requests. */
  async renew(): Promise<void> {
    try {
      await this.refresh();
      if (await this.tend(this.last.epoch)) await this.refresh();
    } catch (error) {
      this.logger.warn({ err: error }, 'MongoDB does not tell whether the cache may be used');
    }
  }

  private get age(): number {
    return performance.now() - this.last.at;
  }

  private leaseOf({ epoch, flag }: Sight): Lease | null {
    if (!epoch?.settled || epoch.server !== this.redis.server) return null;
    return { epoch: epoch.epoch, flagged: flag !== null };
  }

  /** Whoever needs a renewal while one is under way waits for that. */
  private renewTogether(): Promise<void> {
    this.renewal ??= this.renew().finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  /** Whether the epoch isn't that of our Redis, or not settled yet. */
  get needsTending(): boolean {
    const { epoch } = this.last;
    return this.redis.server !== undefined && (this.redis.server !== epoch?.server || !epoch.settled);
  }

  private async refresh(): Promise<void> {
    const sight = await this.look();
    if (sight.at > this.last.at) this.last = sight;
  }

  private async look(): Promise<Sight> {
    const at = performance.now();
    const found = await this.model
      .find({ state: { $lte: EPOCH } })
      .sort({ state: -1, _id: 1 })
      .limit(2)
      .read('primary')
      .lean<CacheState[]>();
    const flag = found.find(({ state }) => state === 'bypass')?._id ?? null;
    if (flag === null) this.standing = undefined;
    else if (flag !== this.standing?.flag) this.standing = { flag, since: performance.now() };
    return { at, epoch: (found.find(({ state }) => state === EPOCH) as Epoch | undefined) ?? null, flag };
  }

  /** @returns whether it has changed anything */
  private async tend(epoch: Epoch | null): Promise<boolean> {
    const { server } = this.redis;
    if (server === undefined) return false;
    if (epoch?.server !== server) return await this.disagree(epoch, server);
    this.agreed = server;
    this.disagreedAt = undefined;
    return !epoch.settled && (await this.settle(epoch.epoch));
  }

  /** Redis has been restarted, or is another one: none of the keys that it may hold count any more. */
  private async disagree(epoch: Epoch | null, server: string): Promise<boolean> {
    if (server !== this.agreed) return await this.begin(epoch, server);
    this.disagreedAt ??= performance.now();
    if (performance.now() - this.disagreedAt < RECONNECT_AFTER_MS) return false;
    this.logger.warn('other instances use another Redis than this one: connecting anew');
    this.agreed = this.disagreedAt = undefined;
    this.redis.reconnect();
    return false;
  }

  private async begin(former: Epoch | null, server: string): Promise<boolean> {
    // The very first has nobody's leases to wait for.
    const epoch: Epoch = { epoch: randomUUID(), server, settled: former === null };
    try {
      await this.model.updateOne(
        { _id: EPOCH, epoch: former?.epoch ?? null },
        { $set: { ...epoch, state: EPOCH } },
        { upsert: former === null },
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // somebody else was faster
    }
    return true;
  }

  /** Once an epoch has been seen for as long as leases last, nobody has one of the epoch before. */
  private async settle(epoch: string): Promise<boolean> {
    if (this.unsettled?.epoch !== epoch) this.unsettled = { epoch, since: performance.now() };
    if (performance.now() - this.unsettled.since < LEASE_MS) return false;
    await this.model.updateOne({ _id: EPOCH, epoch }, { $set: { settled: true } });
    return true;
  }
}
