import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState, EPOCH, type Epoch, LEASE_MS } from './cache-state.schema.js';

/** For how long the epoch's Redis may be another than ours before we look for it anew. */
const RECONNECT_AFTER_MS = 5000;

/** Begins a new epoch when Redis is another than it was, and says when it may be used. */
@Injectable()
export class CacheEpoch {
  private readonly logger = new Logger(CacheEpoch.name);
  /** An epoch that isn't settled, and since when this process has seen it. */
  private unsettled?: { epoch: string; since: number };
  /** The server of an epoch that was ours: if the epoch moves on without us, we are the ones who are lost. */
  private agreed?: string;
  private disagreedAt?: number;

  constructor(
    @InjectModel(CacheState.name) private readonly model: Model<CacheState>,
    private readonly redis: CacheRedis,
  ) {}

  /** @returns whether it has changed anything */
  async tend(epoch: Epoch | null): Promise<boolean> {
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
