import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type OwnRedis, startOwnRedis } from '../../support/redis.js';
import { startService, type TestService } from '../../support/service.js';
import { RedisProxy } from './redis-proxy.js';
import { type Fault, INSTANCES } from './script.js';

const SLOW_MS = 40;
const FROZEN_MS = 1200;
const PAUSED_MS = 1200;

/** Three instances, each with a way of its own to one Redis, and what can happen to them. */
export class Cluster {
  private constructor(
    private readonly redis: OwnRedis,
    private readonly proxies: RedisProxy[],
    readonly instances: TestService[],
  ) {}

  static async start(): Promise<Cluster> {
    const redis = await startOwnRedis();
    const proxies = await Promise.all(Array.from({ length: INSTANCES }, () => RedisProxy.start(() => redis.url)));
    const [own, ...others] = proxies.map(({ url }) => ({ REDIS_URL: url }));
    const first = await startService(own);
    return new Cluster(redis, proxies, [first, ...(await Promise.all(others.map((other) => first.replica(other))))]);
  }

  instance(number: number): TestService {
    return this.instances[number] as TestService;
  }

  others(number: number): TestService[] {
    return this.instances.filter((_, index) => index !== number);
  }

  proxy(number: number): RedisProxy {
    return this.proxies[number] as RedisProxy;
  }

  /** Saves what is in the cache, to be restored later. */
  async saveSnapshot(): Promise<void> {
    await this.withRedis((client) => client.save());
  }

  /** Lets a fault happen while `work` is done, and mends it. `late`, `died` and `woken` are stories of their own. */
  async during(fault: Fault, victim: number, work: () => Promise<void>): Promise<void> {
    switch (fault) {
      case 'slow':
        this.proxy(victim).maxDelayMs = SLOW_MS;
        await work().finally(() => (this.proxy(victim).maxDelayMs = 0));
        return;
      case 'cut':
        this.proxy(victim).block();
        await work().finally(() => this.proxy(victim).unblock());
        return;
      case 'silent':
        this.proxy(victim).silent = true;
        await work().finally(() => {
          this.proxy(victim).silent = false;
          this.proxy(victim).block();
          this.proxy(victim).unblock();
        });
        return;
      case 'frozen':
        await Promise.all([work(), this.freeze(victim)]);
        return;
      case 'flushed':
        await Promise.all([work(), delay(100).then(() => this.withRedis((client) => client.flushall()))]);
        return;
      case 'paused':
        await Promise.all([work(), this.pause()]);
        return;
      case 'killed':
        await this.withRedis((client) => client.flushall().then(() => client.save()));
        await Promise.all([work(), delay(100).then(() => this.redis.restart())]);
        return;
      case 'restored':
        await this.saveSnapshot();
        await work();
        await this.redis.restart();
        return;
      case 'none':
      case 'late':
      case 'died':
      case 'woken':
        await work();
    }
  }

  stop(): void {
    this.proxies.forEach((proxy) => proxy.stop());
  }

  private async freeze(victim: number): Promise<void> {
    await delay(50);
    this.instance(victim).freeze();
    await delay(FROZEN_MS);
    this.instance(victim).thaw();
  }

  private async pause(): Promise<void> {
    await delay(50);
    this.redis.pause();
    await delay(PAUSED_MS);
    this.redis.resume();
  }

  private async withRedis<T>(work: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(this.redis.url);
    try {
      return await work(client);
    } finally {
      client.disconnect();
    }
  }
}
