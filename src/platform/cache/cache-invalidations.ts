import { Injectable, Logger, type OnApplicationBootstrap, type BeforeApplicationShutdown } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { Transactions } from '../database/transactions.js';
import { CACHE_SCOPES } from './cache-scope.js';
import { CacheLease } from './cache-lease.js';
import { flagsSet, repairs } from './cache-metrics.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState } from './cache-state.schema.js';
import { keyOf } from './cache-key.js';
import { addPending, takePending } from './invalidates-cache.js';

const SWEEP_INTERVAL_MS = 500;
const SWEEP_BATCH = 1000;

type Owed = Pick<CacheState, '_id' | 'state'> & { targets: string[] };

/**
 * Makes writes known to the cache: after the commit, before the answer. What is owed to Redis is recorded in the
 * write's own transaction, so that whoever is there makes it good for a writer that died in between; and where Redis
 * can't be reached the record becomes a flag, under which nobody serves from the cache.
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
    transactions.beforeEachCommit((session) => this.record(session));
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

  /** Makes all of a user's cached answers unreachable: for whoever acknowledges what another process has written. */
  async invalidateAll(userId: string): Promise<void> {
    await this.transactions.run((session) => {
      for (const scope of CACHE_SCOPES) addPending(session, { userId, scope });
      return Promise.resolve();
    });
  }

  private async record(session: ClientSession): Promise<void> {
    const targets = takePending(session);
    if (targets.length === 0) return;
    const state = this.redis.server === undefined ? 'bypass' : 'owed';
    const owed: Owed = { _id: new Types.ObjectId().toHexString(), state, targets };
    await this.model.create([owed], { session });
    this.transactions.afterCommit(session, () => this.settle(owed));
  }

  /** @throws what MongoDB throws where a flag is needed and can't be set: the write must not be acknowledged then */
  private async settle({ _id, state, targets }: Owed): Promise<void> {
    if (state === 'owed') {
      if (await this.drop(targets)) return this.forget(_id);
      const { matchedCount } = await this.model.updateOne(
        { _id },
        { $set: { state: 'bypass' } },
        { writeConcern: { w: 'majority' } },
      );
      if (matchedCount === 0) return; // somebody has made it good already
    }
    flagsSet.inc();
    await this.lease.untilEverybodyKnows();
  }

  /** @returns whether it is certain that nobody finds the answers any more */
  private async drop(targets: string[]): Promise<boolean> {
    const lease = await this.lease.get();
    if (lease === null) return false;
    try {
      await this.redis.drop(targets.map((target) => keyOf(lease.epoch, target)));
    } catch {
      return false; // it may have been carried out, or will be: that does no harm, but can't be relied on
    }
    return await this.lease.isCurrent(lease);
  }

  /** Removes records that are settled, as many at once as have gathered. Those that stay are swept. */
  private forget(id: string): void {
    this.settled.push(id);
    this.forgetting ??= this.forgetSettled().finally(() => (this.forgetting = undefined));
  }

  private async forgetSettled(): Promise<void> {
    while (this.settled.length > 0) {
      const ids = this.settled.splice(0);
      await this.model.deleteMany({ _id: { $in: ids } }).catch((error: unknown) => {
        this.logger.warn({ err: error }, 'settled invalidations will be made once more');
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

  /** Makes good what was owed at the last sweep already, and all that is flagged. */
  private async sweep(): Promise<void> {
    try {
      if (this.lease.needsTending) await this.lease.renew();
      // One batch after the other: while a single flag is left, nobody serves from the cache.
      while (!this.stopped && (await this.sweepBatch()));
    } catch (error) {
      this.logger.warn({ err: error }, 'owed invalidations cannot be made at the moment');
    }
  }

  /** @returns whether a whole batch was made good, so that there may be more */
  private async sweepBatch(): Promise<boolean> {
    const owed = await this.model
      .find({ state: { $ne: 'epoch' } })
      .limit(SWEEP_BATCH)
      .lean<Owed[]>();
    const due = owed.filter(({ _id, state }) => state === 'bypass' || this.seenBefore.has(_id));
    this.seenBefore = new Set(owed.map(({ _id }) => _id));
    const targets = new Set(due.flatMap((each) => each.targets));
    if (due.length === 0 || !(await this.drop([...targets]))) return false;
    await this.model.deleteMany({ _id: { $in: due.map(({ _id }) => _id) } });
    repairs.inc(due.length);
    return due.length === SWEEP_BATCH;
  }
}
