import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { CacheEpoch } from './cache-epoch.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState, EPOCH, type Epoch, LEASE_MS } from './cache-state.schema.js';

/** Renewed in passing from this age on, so that requests rarely wait for it. */
const RENEW_AFTER_MS = 250;
/** How often an answer that came too late to be relied on, in a burst of requests say, is asked for again. */
const ATTEMPTS = 3;

/** By how much a timer may be early; fractions of a millisecond it drops. */
const TIMERS_EARLY_MS = 1;

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
  private renewal?: Promise<boolean>;
  /** A flag, and since when this process has seen it. */
  private standing?: { flag: string; since: number };

  constructor(
    @InjectModel(CacheState.name) private readonly model: Model<CacheState>,
    private readonly redis: CacheRedis,
    private readonly epochs: CacheEpoch,
  ) {}

  /**
   * What is certain at this moment. That is enough for a reader, however long it then takes: a write it mustn't miss was
   * acknowledged before its request, so `LEASE_MS` before that its flag stood (docs/architecture.md).
   *
   * @returns null where nothing is: no Redis, another one than the others', or no answer of MongoDB's in time
   */
  async get(): Promise<Lease | null> {
    if (this.age > RENEW_AFTER_MS) void this.renewTogether();
    for (let attempt = 0; this.age > LEASE_MS && attempt < ATTEMPTS; attempt++) {
      if (!(await this.renewTogether())) break;
    }
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
    if (!stoodAllAlong) await delay(Math.ceil(setAt + LEASE_MS - performance.now()) + TIMERS_EARLY_MS);
  }

  /**
   * Looks, and does what the epoch needs done. Called now and then, so that it doesn't wait for requests.
   *
   * @returns whether MongoDB has answered
   */
  async renew(): Promise<boolean> {
    try {
      await this.refresh();
      if (await this.epochs.tend(this.last.epoch)) await this.refresh();
      return true;
    } catch (error) {
      this.logger.warn({ err: error }, 'MongoDB does not tell whether the cache may be used');
      return false;
    }
  }

  private get age(): number {
    return performance.now() - this.last.at;
  }

  private leaseOf({ epoch, flag }: Sight): Lease | null {
    if (!epoch?.settled || epoch.server !== this.redis.server) return null;
    return { epoch: epoch.epoch, flagged: flag !== null };
  }

  /** Whoever needs a renewal while one is under way waits for that, but not for longer than it would be of use. */
  private renewTogether(): Promise<boolean> {
    if (this.renewal) return this.renewal;
    const renewed = this.renew();
    // A process that was too busy reads what has arrived before it gives up.
    const patience = delay(LEASE_MS, false, { ref: false }).then((given) => setImmediate(given));
    this.renewal = Promise.race([renewed, patience]);
    void renewed.then(() => (this.renewal = undefined));
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
}
