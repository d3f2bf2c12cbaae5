import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { type Redis, ReplyError } from 'ioredis';
import { Environment } from '../../config/environment.js';
import { CircuitBreaker } from '../redis/circuit-breaker.js';
import { InjectCacheRedis } from '../redis/redis.module.js';
import { FILL, LOOK_UP } from './cache-scripts.js';

/** What one user's answers of one scope may take at most, with what Redis needs around them. Beyond it they begin anew. */
const MAX_BYTES = 1024 * 1024;

/** Where an answer lies, or would. */
export interface Place {
  /** The hash of all answers of a user and scope, in one epoch. */
  key: string;
  /** The question, within the hash. */
  field: string;
}

export type FillOutcome = 'stored' | 'outdated' | 'too_large';

/**
 * The cache in Redis: a hash for each user and scope, which holds a random version beside the answers. What a write makes
 * unreachable is gone with the hash, in one command and however much it was; whoever asks next begins a new one with
 * another version. An answer is stored only while the version that it was asked under stands.
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

  /** @returns the version that stands, and the answer stored under it */
  async lookUp({ key, field }: Place): Promise<{ version: string; entry: Buffer | null }> {
    const ttl = this.environment.CACHE_TTL_SECONDS;
    const [version, entry] = await this.call<[Buffer, Buffer | null]>(
      () =>
        this.redis.callBuffer('EVAL', LOOK_UP, 1, key, field, randomUUID(), ttl) as Promise<[Buffer, Buffer | null]>,
    );
    return { version: version.toString(), entry };
  }

  /** Stores an answer, unless a write has replaced the version meanwhile. */
  async fill({ key, field }: Place, version: string, entry: Buffer): Promise<FillOutcome> {
    if (entry.length > MAX_BYTES) return 'too_large';
    const ttl = this.environment.CACHE_TTL_SECONDS;
    const stored = await this.call(() => this.redis.eval(FILL, 1, key, field, version, entry, MAX_BYTES, ttl));
    return stored === 1 ? 'stored' : 'outdated';
  }

  /** Makes the answers of these keys unreachable. A failure says nothing: the command may still be carried out. */
  async drop(keys: string[]): Promise<void> {
    await this.call(() => this.redis.unlink(keys));
  }

  /** Drops the connection and makes another, which may lead to another server. */
  reconnect(): void {
    this.redis.disconnect(true);
  }

  onApplicationShutdown(): void {
    this.breaker.stop();
  }

  private call<T>(command: () => Promise<T>): Promise<T> {
    // Nothing is sent to a server that hasn't said who it is.
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
