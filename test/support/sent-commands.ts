import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { databaseOf } from './database.js';
import type { TestService } from './service.js';
import { waitFor } from './wait-for.js';

/** How long an idle service is watched: several times the interval of what it does most often. */
const IDLE_MS = 2500;
/** How often a service that is asked something reads the state that the cache's lease comes from, at most, in milliseconds. */
const LEASE_READ_EVERY_MS = 250;
const COMMANDS = /^mongodb_command_duration_seconds_count\{.*\} (\d+)$/gm;
const REDIS_CALLS = /^cmdstat_(?!info)[\w|-]+:calls=(\d+)/gm;

const sum = (text: string, pattern: RegExp) =>
  [...text.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);

/** Commands: to MongoDB as the driver counts them, in Redis with those that scripts call. */
export interface SentCommands {
  mongodb: number;
  redis: number;
}

/** Counts what a service sends to MongoDB and to a Redis of its own. */
export class CommandCounter {
  private readonly redis: Redis;
  private idlePerMs = 0;

  constructor(
    private readonly service: TestService,
    redisUrl: string,
  ) {
    this.redis = new Redis(redisUrl);
  }

  /** @returns what the service sends in a second while nobody asks it anything; to be called before `perRequest` */
  async perIdleSecond(): Promise<number> {
    await this.untilSettled();
    const { mongodb } = await this.sentBy(() => delay(IDLE_MS));
    this.idlePerMs = Math.max(mongodb, 0) / IDLE_MS;
    return this.idlePerMs * 1000;
  }

  /**
   * @returns what one of `count` requests sends with all that follows, one after the other, without what depends on the time
   *   that they take
   */
  async perRequest(count: number, request: () => Promise<unknown>): Promise<SentCommands> {
    const began = performance.now();
    const { mongodb, redis } = await this.sentBy(async () => {
      for (let index = 0; index < count; index++) await request();
      await this.untilSettled();
    });
    const byTime = (this.idlePerMs + 1 / LEASE_READ_EVERY_MS) * (performance.now() - began);
    return { mongodb: (mongodb - byTime) / count, redis: redis / count };
  }

  stop(): void {
    this.redis.disconnect();
  }

  private async sentBy(work: () => Promise<unknown>): Promise<SentCommands> {
    // To tell the metrics takes commands of its own, each time as many.
    const [earlier, before] = [await this.countMongodb(), await this.countMongodb()];
    const redisBefore = await this.countRedis();
    await work();
    const redis = (await this.countRedis()) - redisBefore;
    return { mongodb: (await this.countMongodb()) - 2 * before + earlier, redis };
  }

  private async countMongodb(): Promise<number> {
    return sum(await (await fetch(`${this.service.metricsUrl}/metrics`)).text(), COMMANDS);
  }

  private async countRedis(): Promise<number> {
    return sum(await this.redis.info('commandstats'), REDIS_CALLS);
  }

  /** Until nothing that follows from earlier requests is left to do. */
  private async untilSettled(): Promise<void> {
    const db = databaseOf(this.service);
    await waitFor('everything that follows', async () => {
      const left = await Promise.all([
        db.collection('outbox').countDocuments({ state: 'ready' }),
        db.collection('deliveries').countDocuments({ state: 'ready' }),
        db.collection('cachestate').countDocuments({ state: { $ne: 'epoch' } }),
      ]);
      return left.every((count) => count === 0);
    });
  }
}
