import { createHash, randomUUID } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { ClientSession } from 'mongoose';
import { Counter } from 'prom-client';
import { Environment } from '../../config/environment.js';
import { Transactions } from '../database/transactions.js';
import { InjectRedis } from '../redis/redis.module.js';
import { CacheStore } from './cache-store.js';
import { CircuitBreaker } from './circuit-breaker.js';

/** What a group of routes caches together and one write invalidates together. */
export type CacheScope = 'tasks' | 'notifications';

/** A version outlives every entry made under it, so that an evicted version only costs misses. */
const VERSION_TTL_FACTOR = 2;

const requests = new Counter({
  name: 'response_cache_requests_total',
  help: 'Cacheable requests by scope and outcome (hit, miss, bypass)',
  labelNames: ['scope', 'outcome'],
});

/**
 * Cached answers of a user, under a random version for each scope. A write replaces the version after its commit and
 * before its answer: no key is searched or deleted, what was stored before is simply never asked for again, and a
 * fill that began before the write lands under the old version.
 */
@Injectable()
export class ResponseCache {
  private readonly logger = new Logger(ResponseCache.name);
  private readonly breaker = new CircuitBreaker();
  /** Versions that couldn't be replaced; until they are, this process serves nothing from the cache. */
  private readonly owed = new Set<string>();

  constructor(
    private readonly store: CacheStore,
    @InjectRedis() private readonly redis: Redis,
    private readonly environment: Environment,
    private readonly transactions: Transactions,
  ) {}

  /**
   * The key of an answer under the current version.
   *
   * @param request the normalised route and query
   * @returns null where the cache is to be bypassed
   */
  async keyOf(userId: string, scope: CacheScope, request: string): Promise<string | null> {
    if (!this.environment.CACHE_ENABLED || this.breaker.isOpen) return null;
    try {
      return await this.breaker.call(async () => {
        for (const versionKey of this.owed) await this.replaceVersion(versionKey);
        const version = await this.versionOf(versionKeyOf(userId, scope));
        return `response:${userId}:${scope}:${version}:${createHash('sha256').update(request).digest('base64url')}`;
      });
    } catch {
      return null; // counted as a bypass by the caller; the outage itself is logged by the connection
    }
  }

  async get(key: string): Promise<string | undefined> {
    return await this.breaker.call(() => this.store.get(key)).catch(() => undefined);
  }

  /** @param ttl in seconds */
  async set(key: string, body: string, ttl = this.environment.CACHE_TTL_SECONDS): Promise<void> {
    const seconds = Math.min(ttl, this.environment.CACHE_TTL_SECONDS);
    await this.breaker.call(() => this.store.set(key, body, seconds)).catch(() => undefined);
  }

  count(scope: CacheScope, outcome: 'hit' | 'miss' | 'bypass'): void {
    requests.inc({ scope, outcome });
  }

  /** Makes all of the user's cached answers of a scope unreachable once the transaction of `session` is committed. */
  invalidateAfterCommit(session: ClientSession, userId: string, scope: CacheScope): void {
    this.transactions.afterCommit(session, () => this.invalidate(userId, scope));
  }

  private async invalidate(userId: string, scope: CacheScope): Promise<void> {
    if (!this.environment.CACHE_ENABLED) return;
    const versionKey = versionKeyOf(userId, scope);
    this.owed.add(versionKey);
    try {
      await this.breaker.call(() => this.replaceVersion(versionKey));
    } catch (error) {
      this.logger.warn({ err: error }, 'the cache is bypassed until a write can be made known to it');
    }
  }

  private async replaceVersion(versionKey: string): Promise<void> {
    await this.redis.set(versionKey, randomUUID(), 'EX', this.versionTtl);
    this.owed.delete(versionKey);
  }

  private async versionOf(versionKey: string): Promise<string> {
    const version = await this.redis.get(versionKey);
    if (version !== null) return version;
    const fresh = randomUUID();
    const stored = await this.redis.set(versionKey, fresh, 'EX', this.versionTtl, 'NX');
    return stored === 'OK' ? fresh : await this.versionOf(versionKey);
  }

  private get versionTtl(): number {
    return this.environment.CACHE_TTL_SECONDS * VERSION_TTL_FACTOR;
  }
}

function versionKeyOf(userId: string, scope: CacheScope): string {
  return `version:${userId}:${scope}`;
}
