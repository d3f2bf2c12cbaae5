import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { CacheEpoch } from './cache-epoch.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState, EPOCH, type Epoch, LEASE_MS } from './cache-state.schema.js';

/** From this age on a lease is renewed in the background, so that requests rarely wait for it. In milliseconds. */
const RENEW_AFTER_MS = 250;
/** How many times the state is read again when the answer came too late to be valid, as in a burst of requests. */
const ATTEMPTS = 3;

/** Timers drop fractions of a millisecond, so they may fire that early. */
const TIMERS_EARLY_MS = 1;

/** The shared state, as one read of MongoDB gave it. */
interface Snapshot {
  /** When the read was sent, by the monotonic clock, in milliseconds. */
  at: number;
  epoch: Epoch | null;
  /** The id of the oldest flag; null where there is none. */
  flag: string | null;
}

/** The right to read entries and to rely on invalidations, for `LEASE_MS` from its snapshot on. */
export interface Lease {
  /** The epoch whose keys are valid. */
  epoch: string;
  /** A writer could not invalidate: nothing may be served from the cache. Invalidations are valid all the same. */
  flagged: boolean;
}

/**
 * What a process must know of the others before it serves from the cache or relies on an invalidation: that there is no flag,
 * and which Redis server and keys all of them use. It is read from MongoDB and valid for `LEASE_MS`. So a process that has
 * changed it waits that long until all others act on it, and clocks are never compared.
 */
@Injectable()
export class CacheLease {
  private readonly logger = new Logger(CacheLease.name);
  private last: Snapshot = { at: -Infinity, epoch: null, flag: null };
  private renewal?: Promise<boolean>;
  /** The flag of the last snapshot, and when this process first read it. */
  private currentFlag?: { flag: string; since: number };

  constructor(
    @InjectModel(CacheState.name) private readonly model: Model<CacheState>,
    private readonly redis: CacheRedis,
    private readonly epochs: CacheEpoch,
  ) {}

  /**
   * The current lease. It is enough for a reader, however long the reader then takes: a write it must not miss was
   * acknowledged before its request, so the flag of that write was set `LEASE_MS` before that (docs/architecture.md).
   *
   * @returns null without Redis, on another Redis server than the other processes, or without an answer of MongoDB in time
   */
  async get(): Promise<Lease | null> {
    if (this.age > RENEW_AFTER_MS) void this.renewTogether();
    for (let attempt = 0; this.age > LEASE_MS && attempt < ATTEMPTS; attempt++) {
      if (!(await this.renewTogether())) break;
    }
    return this.age > LEASE_MS ? null : this.leaseOf(this.last);
  }

  /** Whether a lease's epoch is still the current one, after what was done under the lease. */
  async isCurrent({ epoch }: Lease): Promise<boolean> {
    const askedAt = performance.now();
    if (this.age > LEASE_MS) await this.renew();
    return this.last.at > askedAt - LEASE_MS && this.leaseOf(this.last)?.epoch === epoch;
  }

  /** Resolves once no process can hold a lease from before a flag that has just been set (and acknowledged). */
  async waitForLeasesToExpire(): Promise<void> {
    const setAt = performance.now();
    const known = this.currentFlag;
    const snapshot = await this.readState().catch(() => null); // without it, wait
    const wasSetBefore = snapshot?.flag === known?.flag && known !== undefined && setAt - known.since >= LEASE_MS;
    if (!wasSetBefore) await delay(Math.ceil(setAt + LEASE_MS - performance.now()) + TIMERS_EARLY_MS);
  }

  /**
   * Reads the shared state and, if the Redis server has changed, starts a new epoch.
   *
   * @returns whether MongoDB has answered
   */
  async renew(): Promise<boolean> {
    try {
      await this.refresh();
      if (await this.epochs.advance(this.last.epoch)) await this.refresh();
      return true;
    } catch (error) {
      this.logger.warn({ err: error }, 'MongoDB does not tell whether the cache may be used');
      return false;
    }
  }

  private get age(): number {
    return performance.now() - this.last.at;
  }

  private leaseOf({ epoch, flag }: Snapshot): Lease | null {
    if (!epoch?.settled || epoch.server !== this.redis.server) return null;
    return { epoch: epoch.epoch, flagged: flag !== null };
  }

  /** Callers share a renewal that is in progress, and wait for it no longer than the lease would be valid. */
  private renewTogether(): Promise<boolean> {
    if (this.renewal) return this.renewal;
    const renewed = this.renew();
    // A process that was too busy reads what has arrived before it gives up.
    const giveUp = delay(LEASE_MS, false, { ref: false }).then((given) => setImmediate(given));
    this.renewal = Promise.race([renewed, giveUp]);
    void renewed.then(() => (this.renewal = undefined));
    return this.renewal;
  }

  /** Whether the epoch names another Redis server than ours, or isn't settled yet. */
  get needsRenewal(): boolean {
    const { epoch } = this.last;
    return this.redis.server !== undefined && (this.redis.server !== epoch?.server || !epoch.settled);
  }

  private async refresh(): Promise<void> {
    const snapshot = await this.readState();
    if (snapshot.at > this.last.at) this.last = snapshot;
  }

  private async readState(): Promise<Snapshot> {
    const at = performance.now();
    const found = await this.model
      .find({ state: { $lte: EPOCH } })
      .sort({ state: -1, _id: 1 })
      .limit(2)
      .read('primary')
      .lean<CacheState[]>();
    const flag = found.find(({ state }) => state === 'bypass')?._id ?? null;
    if (flag === null) this.currentFlag = undefined;
    else if (flag !== this.currentFlag?.flag) this.currentFlag = { flag, since: performance.now() };
    return { at, epoch: (found.find(({ state }) => state === EPOCH) as Epoch | undefined) ?? null, flag };
  }
}
