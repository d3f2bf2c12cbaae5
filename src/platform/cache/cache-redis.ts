import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type Redis, ReplyError } from 'ioredis';
import { Environment } from '../../config/environment.js';
import { CircuitBreaker } from '../redis/circuit-breaker.js';
import { InjectCacheRedis } from '../redis/redis.module.js';
import { FILL, LOOK_UP } from './cache-scripts.js';

/** The most that one user's answers of one scope may take, in bytes, with Redis' own overhead. Beyond it the hash is emptied. */
const MAX_BYTES = 1024 * 1024;

/** The address of an answer in Redis. */
export interface EntryKey {
  /** The hash of all answers of a user and scope, in one epoch. */
  key: string;
  /** A digest of the request, within the hash. */
  field: string;
}

export type FillOutcome = 'stored' | 'outdated' | 'too_large';

/**
 * The cache in Redis: a hash for each user and scope, which holds a random version beside the answers. A write
 * deletes the hash, in one command and whatever its size; the next request creates another one with another version.
 * An answer is stored only while the version that it was requested under is the current one.
 */
@Injectable()
export class CacheRedis implements OnApplicationShutdown {
  private readonly logger = new Logger(CacheRedis.name);
  private readonly breaker: CircuitBreaker;
  private runId?: string;

  constructor(
    @InjectCacheRedis() private readonly redis: Redis,
    private readonly environment: Environment,
  ) {
    this.breaker = new CircuitBreaker(
      () => redis.ping(),
      (error) => !(error instanceof ReplyError),
    );
    redis.on('ready', () => void this.identify());
    redis.on('close', () => (this.runId = undefined));
  }

  /** The run id of the server at the other end, undefined while there is none. It changes with a restart or a failover. */
  get server(): string | undefined {
    return this.breaker.isOpen ? undefined : this.runId;
  }

  /** @returns the current version, and the answer stored under it */
  async lookUp({ key, field }: EntryKey): Promise<{ version: string; entry: Buffer | null }> {
    const ttl = this.environment.CACHE_TTL_SECONDS;
    const [version, entry] = await this.call<[Buffer, Buffer | null]>(
      () =>
        this.redis.callBuffer('EVAL', LOOK_UP, 1, key, field, randomUUID(), ttl) as Promise<[Buffer, Buffer | null]>,
    );
    return { version: version.toString(), entry };
  }

  /** Stores an answer, unless a write has deleted the version meanwhile. */
  async fill({ key, field }: EntryKey, version: string, entry: Buffer): Promise<FillOutcome> {
    if (entry.length > MAX_BYTES) return 'too_large';
    const ttl = this.environment.CACHE_TTL_SECONDS;
    const stored = await this.call(() => this.redis.eval(FILL, 1, key, field, version, entry, MAX_BYTES, ttl));
    return stored === 1 ? 'stored' : 'outdated';
  }

  /** Deletes the answers of these keys. After a failure it is unknown whether Redis carries the command out. */
  async drop(keys: string[]): Promise<void> {
    await this.call(() => this.redis.unlink(keys));
  }

  /** Closes the connection and opens another, which may lead to another server. */
  reconnect(): void {
    this.redis.disconnect(true);
  }

  onApplicationShutdown(): void {
    this.breaker.stop();
  }

  private call<T>(command: () => Promise<T>): Promise<T> {
    // Nothing is sent to a server whose run id isn't known.
    if (this.runId === undefined) return Promise.reject(new Error('Redis is not connected'));
    return this.breaker.call(command);
  }

  private async identify(): Promise<void> {
    try {
      const [, runId] = /^run_id:(\w+)/m.exec(await this.redis.info('server')) ?? [];
      if (runId === undefined)
        this.logger.warn("Redis doesn't tell its run id: a restart with old data goes unnoticed");
      this.runId = runId ?? 'unknown';
    } catch {
      this.redis.disconnect(true); // it may be hanging: the next connection asks again
    }
  }
}
