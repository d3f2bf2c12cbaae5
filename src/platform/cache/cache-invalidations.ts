import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { Transactions } from '../database/transactions.js';
import { CACHE_SCOPES } from '../../contracts/cache-scope.js';
import { CacheLease } from './cache-lease.js';
import { flagsSet, repairs } from './cache-metrics.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState } from './cache-state.schema.js';
import { keyOf } from './cache-key.js';
import { addPending, takePending } from './invalidates-cache.js';

const SWEEP_INTERVAL_MS = 500;
const SWEEP_BATCH = 1000;

type PendingInvalidation = Pick<CacheState, '_id' | 'state'> & { targets: string[] };

/**
 * Invalidates cached answers after the commit of a write, before its answer. The pending invalidation is recorded in the
 * write's own transaction, so that another process makes it if the writer dies in between. Where Redis can't be reached
 * the record becomes a flag, under which no process serves from the cache.
 */
@Injectable()
export class CacheInvalidations implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(CacheInvalidations.name);
  private settled: string[] = [];
  private forgetting?: Promise<void>;
  private seenBefore = new Set<string>();
  private timer?: NodeJS.Timeout;
  private sweeping?: Promise<void>;
  private stopped = false;

  constructor(
    @InjectModel(CacheState.name) private readonly model: Model<CacheState>,
    private readonly lease: CacheLease,
    private readonly redis: CacheRedis,
    private readonly transactions: Transactions,
  ) {
    transactions.beforeEachCommit((tx) => this.record(tx));
  }

  async onApplicationBootstrap(): Promise<void> {
    await this.lease.renew();
    this.scheduleSweep();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
    await this.forgetting;
  }

  /** Invalidates all of a user's cached answers: for a process that acknowledges what another one has written. */
  async invalidateAll(userId: string): Promise<void> {
    await this.transactions.run((tx) => {
      for (const scope of CACHE_SCOPES) addPending({ owner: ownedBy(userId), scope }, tx);
      return Promise.resolve();
    });
  }

  private async record(tx: ClientSession): Promise<void> {
    const targets = takePending(tx);
    if (targets.length === 0) return;
    const state = this.redis.server === undefined ? 'bypass' : 'owed';
    const pending: PendingInvalidation = { _id: new Types.ObjectId().toHexString(), state, targets };
    await this.model.create([pending], { session: tx });
    this.transactions.afterCommit(() => this.settle(pending), tx);
  }

  /** @throws what MongoDB throws where a flag is needed and can't be set: the write must not be acknowledged then */
  private async settle({ _id, state, targets }: PendingInvalidation): Promise<void> {
    if (state === 'owed') {
      if (await this.drop(targets)) return this.forget(_id);
      const { matchedCount } = await this.model.updateOne(
        { _id },
        { $set: { state: 'bypass' } },
        { writeConcern: { w: 'majority' } },
      );
      if (matchedCount === 0) return; // another process has made it already
    }
    flagsSet.inc();
    await this.lease.waitForLeasesToExpire();
  }

  /** @returns whether it is certain that no process can read the answers any more */
  private async drop(targets: string[]): Promise<boolean> {
    const lease = await this.lease.get();
    if (lease === null) return false;
    try {
      await this.redis.drop(targets.map((target) => keyOf(lease.epoch, target)));
    } catch {
      return false; // Redis may carry it out later: harmless, but nothing to rely on
    }
    return await this.lease.isCurrent(lease);
  }

  /** Removes records whose invalidation is done, in batches. The sweep handles those that could not be removed. */
  private forget(id: string): void {
    this.settled.push(id);
    this.forgetting ??= this.forgetSettled().finally(() => (this.forgetting = undefined));
  }

  private async forgetSettled(): Promise<void> {
    while (this.settled.length > 0) {
      const ids = this.settled.splice(0);
      await this.model.deleteMany({ _id: { $in: ids } }).catch((error: unknown) => {
        this.logger.warn({ err: error }, 'invalidations that are done could not be removed and will be made once more');
      });
    }
  }

  private scheduleSweep(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.sweeping = this.sweep().finally(() => this.scheduleSweep());
    }, SWEEP_INTERVAL_MS);
    this.timer.unref();
  }

  /** Makes the invalidations that were pending at the last sweep already, and all that are flags. */
  private async sweep(): Promise<void> {
    try {
      if (this.lease.needsRenewal) await this.lease.renew();
      // One batch after the other: while a single flag is left, no process serves from the cache.
      while (!this.stopped && (await this.sweepBatch()));
    } catch (error) {
      this.logger.warn({ err: error }, 'pending invalidations cannot be made at the moment');
    }
  }

  /** @returns whether a whole batch was invalidated, so that there may be more */
  private async sweepBatch(): Promise<boolean> {
    const pending = await this.model
      .find({ state: { $ne: 'epoch' } })
      .limit(SWEEP_BATCH)
      .lean<PendingInvalidation[]>();
    const due = pending.filter(({ _id, state }) => state === 'bypass' || this.seenBefore.has(_id));
    this.seenBefore = new Set(pending.map(({ _id }) => _id));
    const targets = new Set(due.flatMap((each) => each.targets));
    if (due.length === 0 || !(await this.drop([...targets]))) return false;
    await this.model.deleteMany({ _id: { $in: due.map(({ _id }) => _id) } });
    repairs.inc(due.length);
    return due.length === SWEEP_BATCH;
  }
}
