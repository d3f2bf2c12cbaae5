import { randomUUID } from 'node:crypto';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { ErrorReply, type RedisClientType } from 'redis';
import { RedisEnvironment } from '../../config/areas/redis.environment.js';
import { inRedisSpan } from '../observability/tracing/redis-spans.js';
import { within } from '../overload/within.js';
import { CacheConnection } from '../redis/cache-connection.js';
import { CircuitBreaker } from '../redis/circuit-breaker.js';
import { FILL, LOOK_UP, type Script } from './cache-scripts.js';

/** A command that takes longer counts as failed. No second attempt follows, so the limit is generous. */
const COMMAND_TIMEOUT_MS = 500;
/** The most that one user's answers of one scope may take, in bytes, with Redis' own overhead. Beyond it the hash is emptied. */
const MAX_BYTES = 1024 * 1024;

const TIMED_OUT = Symbol('timed out');

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
 * deletes the hash, in one command, however large it is; the next request creates another one with another version.
 * An answer is stored only while the version that it was requested under is the current one.
 */
@Injectable()
export class CacheRedis implements OnApplicationShutdown {
  private readonly logger = new Logger(CacheRedis.name);
  private readonly refusals = new Set<string>();
  private readonly breaker = new CircuitBreaker(
    () => this.inTime((client) => client.ping()),
    (error) => !this.isRefusal(error),
  );

  constructor(
    private readonly connection: CacheConnection,
    private readonly environment: RedisEnvironment,
  ) {}

  /** The run id of the server at the other end, undefined while there is none. It changes with a restart or a failover. */
  get server(): string | undefined {
    return this.breaker.isOpen ? undefined : this.connection.server?.runId;
  }

  /** @returns the current version, and the answer stored under it */
  async lookUp({ key, field }: EntryKey): Promise<{ version: string; entry: Buffer | null }> {
    const args = [field, randomUUID(), String(this.environment.CACHE_TTL_SECONDS)];
    const [version, entry] = (await this.run(LOOK_UP, key, args)) as [Buffer, Buffer | null];
    return { version: version.toString(), entry };
  }

  /** Stores an answer, unless a write has deleted the version meanwhile. */
  async fill({ key, field }: EntryKey, version: string, entry: Buffer): Promise<FillOutcome> {
    if (entry.length > MAX_BYTES) return 'too_large';
    const args = [field, version, entry, String(MAX_BYTES), String(this.environment.CACHE_TTL_SECONDS)];
    const stored = await this.run(FILL, key, args);
    return stored === 1 ? 'stored' : 'outdated';
  }

  /** Deletes the answers of these keys. After a failure it is unknown whether Redis carries the command out. */
  async drop(keys: string[]): Promise<void> {
    await this.call('UNLINK', (client) => client.unlink(keys));
  }

  /** Closes the connection and opens another, which may lead to another server. */
  reconnect(): void {
    this.connection.reconnect();
  }

  onApplicationShutdown(): void {
    this.breaker.stop();
  }

  /** Runs a script by its digest; by its text where the server doesn't know it yet. */
  private run({ sha1, source }: Script, key: string, args: (string | Buffer)[]): Promise<unknown> {
    return this.call('EVALSHA', async (client) => {
      try {
        return await client.sendCommand(['EVALSHA', sha1, '1', key, ...args], { returnBuffers: true });
      } catch (error) {
        if (!(error instanceof ErrorReply) || !error.message.startsWith('NOSCRIPT')) throw error;
        return await client.sendCommand(['EVAL', source, '1', key, ...args], { returnBuffers: true });
      }
    });
  }

  /** An answer that is an error, such as NOPERM or OOM, is no outage. Each kind is logged once, without what it is about. */
  private isRefusal(error: unknown): boolean {
    if (!(error instanceof ErrorReply)) return false;
    const [kind = ''] = error.message.split(' ');
    if (!this.refusals.has(kind)) this.logger.warn(`Redis refuses a command of the cache: ${kind}`);
    this.refusals.add(kind);
    return true;
  }

  private call<T>(operation: string, command: (client: RedisClientType) => Promise<T>): Promise<T> {
    // Without a connection nothing is sent, and the circuit stays as it is.
    if (!this.connection.server) return Promise.reject(new Error('Redis is not connected'));
    return inRedisSpan(operation, () => this.breaker.call(() => this.inTime(command)));
  }

  private async inTime<T>(command: (client: RedisClientType) => Promise<T>): Promise<T> {
    const { server } = this.connection;
    if (!server) throw new Error('Redis is not connected');
    const answer = await within(command(server.store.client), COMMAND_TIMEOUT_MS, TIMED_OUT);
    if (answer === TIMED_OUT) throw new Error('Redis did not answer in time');
    return answer;
  }
}
