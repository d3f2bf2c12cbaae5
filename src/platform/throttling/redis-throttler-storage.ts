import { Injectable, Logger } from '@nestjs/common';
import { type ThrottlerStorage, ThrottlerStorageService } from '@nestjs/throttler';
import { type Redis, ReplyError } from 'ioredis';
import { CircuitBreaker } from '../redis/circuit-breaker.js';
import { InjectRedis } from '../redis/redis.module.js';

type ThrottlerRecord = Awaited<ReturnType<ThrottlerStorage['increment']>>;

/** Counts one hit in a fixed window that begins with the first; one step, so parallel hits can't pass each other. */
const COUNT_HIT = `
local hits = redis.call('INCR', KEYS[1])
if hits == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return { hits, redis.call('PTTL', KEYS[1]) }
`;

interface CountingRedis extends Redis {
  /** @returns the hits of the window so far, and the milliseconds that are left of it */
  countHit(key: string, windowMs: number): Promise<[number, number]>;
}

/** Counts shared by all instances; while Redis is gone each instance counts for itself. */
@Injectable()
export class RedisThrottlerStorage implements ThrottlerStorage {
  private readonly logger = new Logger(RedisThrottlerStorage.name);
  private readonly fallback = new ThrottlerStorageService();
  /** While Redis hangs, one request waits for the time limit, not each. */
  private readonly breaker: CircuitBreaker;
  private degraded = false;

  private readonly redis: CountingRedis;

  constructor(@InjectRedis() redis: Redis) {
    // Sent by its digest, and as a text only to a server that doesn't know it yet.
    redis.defineCommand('countHit', { numberOfKeys: 1, lua: COUNT_HIT });
    this.redis = redis as CountingRedis;
    this.breaker = new CircuitBreaker(
      () => redis.ping(),
      (error) => !(error instanceof ReplyError),
    );
  }

  /** @param ttl the window in milliseconds; the record's times are in seconds */
  async increment(
    key: string,
    ttl: number,
    limit: number,
    blockDuration: number,
    throttlerName: string,
  ): Promise<ThrottlerRecord> {
    try {
      const [hits, remaining] = await this.breaker.call(() => this.redis.countHit(`throttle:${key}`, ttl));
      this.degraded = false;
      const seconds = Math.max(1, Math.ceil(remaining / 1000));
      return { totalHits: hits, timeToExpire: seconds, isBlocked: hits > limit, timeToBlockExpire: seconds };
    } catch (error) {
      if (!this.degraded) this.logger.warn({ err: error }, 'limits are counted by this instance alone meanwhile');
      this.degraded = true;
      return await this.fallback.increment(key, ttl, limit, blockDuration, throttlerName);
    }
  }
}
