import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { createClient, type RedisClientOptions, type RedisClientType, type RedisDefaultModules } from 'redis';
import { redisInsStore, type RedisStore } from 'cache-manager-redis-yet';
import { Environment } from '../../config/environment.js';
import { within } from '../overload/within.js';
import { tlsOptions } from '../tls/tls-options.js';
import { tlsProblem } from '../tls/tls-problem.js';

/** The longest that connecting, the client's first commands, and the question for the run id may take, each. */
const STEP_TIMEOUT_MS = 2000;
const MAX_RECONNECT_DELAY_MS = 1000;

/** The client has no functions and scripts of its own. */
type NoCommands = Record<string, never>;

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

  constructor(private readonly environment: Environment) {
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
      const client: RedisClientType = createClient(this.options());
      // After 'error' and 'end' a client without a strategy to reconnect does nothing more.
      const lost = new Promise<Error>((resolve) => {
        client.on('error', resolve);
        client.on('end', () => resolve(new Error('the connection was closed')));
      });
      try {
        const runId = await this.connect(client);
        if (!this.reachable) this.logger.log('connected again (cache)');
        this.reachable = true;
        failures = 0;
        this.connected = { store: redisInsStore(client), runId };
        this.warnOnce(await lost);
      } catch (error) {
        this.warnOnce(error);
      }
      this.connected = undefined;
      close(client);
      await delay(Math.min(failures * 50, MAX_RECONNECT_DELAY_MS), undefined, { ref: false });
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
    const info = await within(client.info('server'), STEP_TIMEOUT_MS, undefined);
    if (info === undefined) throw new Error('Redis does not answer');
    const [, runId] = /^run_id:(\w+)/m.exec(info) ?? [];
    if (runId === undefined) {
      this.logger.warn("Redis doesn't tell its run id: a restart with old data goes unnoticed");
    }
    return runId ?? 'unknown';
  }

  private options(): RedisClientOptions<RedisDefaultModules, NoCommands, NoCommands> {
    const { REDIS_URL: url } = this.environment;
    const tls = tlsOptions(this.environment, 'REDIS');
    const socket = { connectTimeout: STEP_TIMEOUT_MS, reconnectStrategy: false as const };
    return {
      url,
      name: 'scalable-api:cache',
      disableOfflineQueue: true,
      // Without certificates, the address decides.
      socket: tls ? { ...socket, tls: true, ...tls } : socket,
    };
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

/** Closes a client, whether it is open or not. */
function close(client: RedisClientType): void {
  if (client.isOpen) void client.disconnect().catch(() => undefined);
}
