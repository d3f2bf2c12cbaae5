import { randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { isDuplicateKey } from '../database/duplicate-key.js';
import { CacheRedis } from './cache-redis.js';
import { CacheState, EPOCH, type Epoch, LEASE_MS } from './cache-state.schema.js';

/** How long the epoch may name another Redis server than ours before this process reconnects, in milliseconds. */
const RECONNECT_AFTER_MS = 5000;

/** Starts a new epoch when the Redis server has changed, and settles it once no lease of the epoch before can exist. */
@Injectable()
export class CacheEpoch {
  private readonly logger = new Logger(CacheEpoch.name);
  /** An epoch that isn't settled, and when this process first read it (monotonic, in milliseconds). */
  private unsettled?: { epoch: string; since: number };
  /**
   * The run id of the last server that this process and the epoch had in common. If the epoch changes alone, this process is
   * connected to the wrong server.
   */
  private sharedServer?: string;
  private differentSince?: number;

  constructor(
    @InjectModel(CacheState.name) private readonly model: Model<CacheState>,
    private readonly redis: CacheRedis,
  ) {}

  /** Starts or settles an epoch where that is due. @returns whether it has changed anything */
  async advance(epoch: Epoch | null): Promise<boolean> {
    const { server } = this.redis;
    if (server === undefined) return false;
    if (epoch?.server !== server) return await this.handleServerChange(epoch, server);
    this.sharedServer = server;
    this.differentSince = undefined;
    return !epoch.settled && (await this.settle(epoch.epoch));
  }

  /** Redis was restarted or replaced: none of the keys that it may hold are valid any more. */
  private async handleServerChange(epoch: Epoch | null, server: string): Promise<boolean> {
    if (server !== this.sharedServer) return await this.start(epoch, server);
    this.differentSince ??= performance.now();
    if (performance.now() - this.differentSince < RECONNECT_AFTER_MS) return false;
    this.logger.warn('other instances use another Redis than this one: reconnecting');
    this.sharedServer = this.differentSince = undefined;
    this.redis.reconnect();
    return false;
  }

  private async start(former: Epoch | null, server: string): Promise<boolean> {
    // Before the first epoch there are no leases to wait for.
    const epoch: Epoch = { epoch: randomUUID(), server, settled: former === null };
    try {
      await this.model.updateOne(
        { _id: EPOCH, epoch: former?.epoch ?? null },
        { $set: { ...epoch, state: EPOCH } },
        { upsert: former === null },
      );
    } catch (error) {
      if (!isDuplicateKey(error)) throw error; // another process has started one
    }
    return true;
  }

  /** Once an epoch has been read for as long as a lease lasts, no process holds a lease of the epoch before. */
  private async settle(epoch: string): Promise<boolean> {
    if (this.unsettled?.epoch !== epoch) this.unsettled = { epoch, since: performance.now() };
    if (performance.now() - this.unsettled.since < LEASE_MS) return false;
    await this.model.updateOne({ _id: EPOCH, epoch }, { $set: { settled: true } });
    return true;
  }
}
