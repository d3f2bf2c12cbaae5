import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createClient, type RedisClientType } from 'redis';
import { redisInsStore, type RedisStore } from 'cache-manager-redis-yet';
import { RedisEnvironment } from '../../config/areas/redis.environment.js';
import { within } from '../overload/within.js';
import { tlsProblem } from '../tls/tls-problem.js';
import { cacheClientOptions } from './cache-client-options.js';

/** The time limit of each step: connecting the socket, the client's first commands, and the question for the run id. */
const STEP_TIMEOUT_MS = 2000;
const MIN_RECONNECT_DELAY_MS = 50;
const MAX_RECONNECT_DELAY_MS = 1000;
/** A connection that ends sooner counts as one more failure to connect. */
const STABLE_AFTER_MS = 1000;

/** A connected Redis server. */
export interface CacheServer {
  store: RedisStore;
  /** Changes with a restart or a failover; 'unknown' where the server doesn't say it. */
  runId: string;
}

/**
 * The connection of the response cache, apart from the others because its answers are large. Commands fail at once while
 * there is none (node-redis would keep them), and no command has a time limit of its own: callers set one.
 *
 * Each attempt to connect has a client of its own. So a client always talks to one server, whose run id is known, and an
 * attempt that hangs can be given up, which node-redis' own reconnecting doesn't do.
 */
@Injectable()
export class CacheConnection implements OnApplicationShutdown {
  private readonly logger = new Logger('Redis');
  private connected?: CacheServer;
  private client?: RedisClientType;
  private stopped = false;
  private reachable = true;

  constructor(private readonly environment: RedisEnvironment) {
    void this.stayConnected();
  }

  /** Undefined while there is no connection, or the server's run id isn't known yet. */
  get server(): CacheServer | undefined {
    return this.connected;
  }

  /** Closes the connection and opens another, which may lead to another server. */
  reconnect(): void {
    this.connected = undefined;
    if (this.client) close(this.client);
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    this.reconnect();
  }

  private async stayConnected(): Promise<void> {
    for (let failures = 0; !this.stopped; failures++) {
      const client: RedisClientType = createClient(cacheClientOptions(this.environment, STEP_TIMEOUT_MS));
      // After 'error' and 'end' a client without a strategy to reconnect does nothing more.
      const lost = new Promise<Error>((resolve) => {
        client.on('error', resolve);
        client.on('end', () => resolve(new Error('the connection was closed')));
      });
      try {
        const runId = await this.connect(client);
        if (!this.reachable) this.logger.log('connected again (cache)');
        this.reachable = true;
        this.connected = { store: redisInsStore(client), runId };
        const connectedAt = performance.now();
        const reason = await lost;
        if (performance.now() - connectedAt > STABLE_AFTER_MS) failures = 0;
        this.warnOnce(reason);
      } catch (error) {
        this.warnOnce(error);
      }
      this.connected = undefined;
      close(client);
      const pauseMs = Math.min(MIN_RECONNECT_DELAY_MS * (failures + 1), MAX_RECONNECT_DELAY_MS);
      await delay(pauseMs, undefined, { ref: false });
    }
  }

  /** @returns the server's run id */
  private async connect(client: RedisClientType): Promise<string> {
    const connecting = client.connect();
    const ready = connecting.then(() => true);
    // Only a connected client can be closed. Before, the socket's own time limit ends the attempt.
    await Promise.race([once(client, 'connect'), ready]);
    this.client = client;
    if (this.stopped || !(await within(ready, STEP_TIMEOUT_MS, false))) throw new Error('Redis does not answer');
    // Only for operators who list connections. An ACL may forbid it, and nothing depends on it.
    void client.clientSetName('scalable-api:cache').catch(() => undefined);
    const info = await within(client.info('server'), STEP_TIMEOUT_MS, undefined);
    if (info === undefined) throw new Error('Redis does not answer');
    const [, runId] = /^run_id:(\w+)/m.exec(info) ?? [];
    if (runId === undefined) {
      this.logger.warn("Redis doesn't tell its run id: a restart with old data goes unnoticed");
    }
    return runId ?? 'unknown';
  }

  /** One line for an outage, not one for each attempt to connect. */
  private warnOnce(error: unknown): void {
    if (this.stopped || !this.reachable) return;
    this.reachable = false;
    const { code, name } = error as NodeJS.ErrnoException;
    const reason = tlsProblem(error, this.environment, 'REDIS') ?? code ?? name;
    this.logger.warn(`not reachable (cache), working without it meanwhile: ${reason}`);
  }
}

/** Closes a client, whether it is open or not. A connection that fails while it is closed is gone, too. */
function close(client: RedisClientType): void {
  if (client.isOpen) void client.disconnect().catch(() => undefined);
}
