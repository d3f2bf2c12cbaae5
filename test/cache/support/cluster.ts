import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { RedisProxy } from '../../support/redis-proxy.js';
import { type OwnRedis, startOwnRedis } from '../../support/redis.js';
import { startService, type TestService } from '../../support/service.js';
import { type Fault, INSTANCES } from './script.js';

const ACCESS_TOKEN_TTL_SECONDS = '3600';
const SLOW_MS = 40;
const FROZEN_MS = 1200;
const PAUSED_MS = 1200;

/** Three instances, each with a way of its own to one Redis, and what can happen to them. */
export class Cluster {
  readonly instances: TestService[] = [];
  /** How often a command was held back at the moment that a story is about. */
  readonly reached = { late: 0, died: 0 };
  private readonly proxies: RedisProxy[] = [];

  private constructor(
    private redis: OwnRedis,
    private spareRedis: OwnRedis,
  ) {}

  static async start(): Promise<Cluster> {
    const cluster = new Cluster(await startOwnRedis(), await startOwnRedis());
    const starting = Array.from({ length: INSTANCES }, () => RedisProxy.start(() => cluster.redis.url));
    cluster.proxies.push(...(await Promise.all(starting)));
    const [own, ...others] = cluster.proxies.map(({ url }) => ({ REDIS_URL: url, ACCESS_TOKEN_TTL_SECONDS }));
    const first = await startService(own);
    cluster.instances.push(first, ...(await Promise.all(others.map((other) => first.replica(other)))));
    return cluster;
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

  /** Waits until a command is held back, and counts that; or until `work` is done without it. */
  async count(story: keyof Cluster['reached'], heldBack: Promise<void>, work: Promise<unknown>): Promise<void> {
    await Promise.race([heldBack.then(() => void this.reached[story]++), work]);
  }

  /** Saves what is in the cache, to be restored later. */
  async saveSnapshot(): Promise<void> {
    await this.withRedis((client) => client.save());
  }

  /** Lets all instances but one move on to another Redis; after `work` that one comes after them. */
  async failOver(behind: number, work: () => Promise<void>): Promise<void> {
    [this.redis, this.spareRedis] = [this.spareRedis, this.redis];
    this.proxies.filter((_, index) => index !== behind).forEach((proxy) => proxy.cut());
    await work();
    await this.spareRedis.restart();
  }

  /** Lets a fault happen while `work` is done, and mends it. `late`, `died`, `woken` and `moved` are stories of their own. */
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
          this.proxy(victim).cut();
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
      case 'moved':
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
