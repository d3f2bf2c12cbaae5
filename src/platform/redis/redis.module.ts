import { once } from 'node:events';
import {
  Global,
  Inject,
  Injectable,
  Logger,
  Module,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { Redis, type RedisOptions } from 'ioredis';
import { RedisEnvironment } from '../../config/areas/redis.environment.js';
import { CacheConnection } from './cache-connection.js';
import { tlsOptions } from '../tls/tls-options.js';
import { tlsProblem } from '../tls/tls-problem.js';

/** A command that takes longer counts as failed: nothing waits for a Redis that is gone. */
const COMMAND_TIMEOUT_MS = 250;

/**
 * Times commands itself: a process that was too busy to read the answer in time reads what has arrived before it gives
 * up. (ioredis gives up first, so a burst of requests would have each instance count its limits for itself.)
 */
class TimedRedis extends Redis {
  constructor(
    url: string,
    options: RedisOptions,
    private readonly timeoutMs: number,
  ) {
    super(url, options);
  }

  override sendCommand(...[command, stream]: Parameters<Redis['sendCommand']>): unknown {
    const giveUp = () => command.isResolved || command.reject(new Error('Command timed out'));
    const timer = setTimeout(() => setImmediate(giveUp), this.timeoutMs);
    const stopWaiting = () => clearTimeout(timer);
    command.promise.then(stopWaiting, stopWaiting);
    return super.sendCommand(command, stream);
  }
}
const MAX_RECONNECT_DELAY_MS = 1000;

/** The process's connection for counters, versions and publishing. Commands fail at once while it is down. */
export const REDIS = Symbol('REDIS');
/** A connection of its own for subscriptions. */
export const REDIS_SUBSCRIBER = Symbol('REDIS_SUBSCRIBER');

export const InjectRedis = () => Inject(REDIS);
export const InjectRedisSubscriber = () => Inject(REDIS_SUBSCRIBER);

function connect(environment: RedisEnvironment, name: string, timeoutMs?: number): Redis {
  const logger = new Logger('Redis');
  let reachable = true;
  const tls = tlsOptions(environment, 'REDIS');
  const options: RedisOptions = {
    ...(tls ? { tls } : {}), // without it, the address decides
    connectionName: `scalable-api:${name}`,
    enableOfflineQueue: false,
    // Subscribers subscribe at 'ready'. ioredis would, too, but nobody could catch it where that fails.
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 2000,
    retryStrategy: (attempt) => Math.min(attempt * 50, MAX_RECONNECT_DELAY_MS),
  };
  const { REDIS_URL: url } = environment;
  const redis = timeoutMs === undefined ? new Redis(url, options) : new TimedRedis(url, options, timeoutMs);
  redis.on('ready', () => {
    if (!reachable) logger.log(`connected again (${name})`);
    reachable = true;
  });
  redis.on('error', (error: NodeJS.ErrnoException) => {
    // One line for an outage, not one for each attempt to reconnect.
    const reason = tlsProblem(error, environment, 'REDIS') ?? error.code ?? error.name;
    if (reachable) logger.warn(`not reachable (${name}), working without it meanwhile: ${reason}`);
    reachable = false;
  });
  return redis;
}

/** How long the start waits for Redis: it then goes on without, as it does when Redis goes away later. */
const START_TIMEOUT_MS = 2000;

@Injectable()
class RedisConnections implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    @InjectRedis() private readonly redis: Redis,
    @InjectRedisSubscriber() private readonly subscriber: Redis,
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    if (this.redis.status === 'ready') return;
    await once(this.redis, 'ready', { signal: AbortSignal.timeout(START_TIMEOUT_MS) }).catch(() => undefined);
  }

  onApplicationShutdown(): void {
    this.redis.disconnect();
    this.subscriber.disconnect();
  }
}

@Global()
@Module({
  providers: [
    {
      provide: REDIS,
      inject: [RedisEnvironment],
      useFactory: (environment: RedisEnvironment) => connect(environment, 'commands', COMMAND_TIMEOUT_MS),
    },
    {
      provide: REDIS_SUBSCRIBER,
      inject: [RedisEnvironment],
      useFactory: (environment: RedisEnvironment) => connect(environment, 'subscriber'),
    },
    CacheConnection,
    RedisConnections,
  ],
  exports: [REDIS, REDIS_SUBSCRIBER, CacheConnection],
})
export class RedisModule {}
