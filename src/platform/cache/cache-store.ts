import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { redisInsStore, type RedisStore } from 'cache-manager-redis-yet';
import { createClient } from 'redis';
import { Environment } from '../../config/environment.js';
import { tlsOptions } from '../tls/tls-options.js';
import { tlsProblem } from '../tls/tls-problem.js';

const CONNECT_TIMEOUT_MS = 2000;
const MAX_RECONNECT_DELAY_MS = 1000;

/** The response cache's connection to Redis, behind cache-manager's store. Fails at once while Redis is gone. */
@Injectable()
export class CacheStore implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new Logger(CacheStore.name);
  private readonly client: ReturnType<typeof createClient>;
  private readonly store: RedisStore;
  private reachable = true;

  constructor(environment: Environment) {
    this.client = createClient({
      url: environment.REDIS_URL,
      disableOfflineQueue: true,
      socket: {
        connectTimeout: CONNECT_TIMEOUT_MS,
        reconnectStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
        ...tlsOptions(environment, 'REDIS'),
      },
    });
    this.client.on('error', (error: NodeJS.ErrnoException) => {
      const reason = tlsProblem(error, environment, 'REDIS') ?? error.code ?? error.name;
      if (this.reachable) this.logger.warn(`Redis is not reachable, not caching meanwhile: ${reason}`);
      this.reachable = false;
    });
    this.client.on('ready', () => {
      if (!this.reachable) this.logger.log('Redis is reachable again; caching');
      this.reachable = true;
    });
    this.store = redisInsStore(this.client as Parameters<typeof redisInsStore>[0]);
  }

  onModuleInit(): void {
    // Not awaited: the service starts without Redis; the client goes on trying by itself.
    this.client.connect().catch(() => undefined);
  }

  async get(key: string): Promise<string | undefined> {
    return await this.store.get<string>(key);
  }

  /** @param ttl in seconds */
  async set(key: string, value: string, ttl: number): Promise<void> {
    await this.store.set(key, value, ttl * 1000);
  }

  async onApplicationShutdown(): Promise<void> {
    if (this.client.isOpen) await this.client.disconnect();
  }
}
