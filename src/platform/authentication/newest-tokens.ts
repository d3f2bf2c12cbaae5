import { Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { databaseNow } from '../database/database-clock.js';
import { InjectRedis } from '../redis/redis.module.js';

/** An entry outlives its token by this, so that a process whose clock is behind still finds it. */
const MARGIN_SECONDS = 60;

/**
 * Until when the newest access token of each session is valid, shared through Redis. A connection that was opened with an
 * older token of the session may stay open until then. If Redis loses an entry, its user has to connect again, with the newest token.
 */
@Injectable()
export class NewestTokens {
  constructor(@InjectRedis() private readonly redis: Redis) {}

  /**
   * Records a token that has just been issued. Doesn't wait for Redis.
   *
   * @param expiresAt seconds since the epoch, as in the claim `exp`
   */
  record(sessionId: string, expiresAt: number): void {
    const ttl = Math.max(1, expiresAt - Math.floor(databaseNow() / 1000)) + MARGIN_SECONDS;
    this.redis.set(keyOf(sessionId), expiresAt, 'EX', ttl).catch(() => undefined);
  }

  /**
   * @returns seconds since the epoch; 0 if no token of the session is known
   * @throws Error if Redis can't be reached
   */
  async expiryOf(sessionId: string): Promise<number> {
    return Number(await this.redis.get(keyOf(sessionId)));
  }
}

function keyOf(sessionId: string): string {
  return `newest-token:${sessionId}`;
}
