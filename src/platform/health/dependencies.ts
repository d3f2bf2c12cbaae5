import { Inject, Injectable } from '@nestjs/common';
import type { Redis } from 'ioredis';
import { DatabaseWatch } from '../database/database-watch.js';
import { RabbitMqConnections } from '../messaging/rabbitmq/rabbitmq-connections.js';
import { within } from '../overload/within.js';
import { ObjectStorage } from '../storage/object-storage.js';
import { InjectRedis } from '../redis/redis.module.js';

const ASKED_AT_MOST_EVERY_MS = 1000;
/** One that doesn't answer within this time counts as gone: probes and metrics must not wait with it. */
const TIMEOUT_MS = 750;

/** Whether the dependencies answer; each is asked at most once a second, however many probes there are. */
@Injectable()
export class Dependencies {
  private readonly answers = new Map<string, { askedAt: number; answer: Promise<boolean> }>();

  constructor(
    private readonly database: DatabaseWatch,
    @InjectRedis() private readonly redis: Redis,
    private readonly storage: ObjectStorage,
    @Inject(RabbitMqConnections) private readonly rabbitmq: RabbitMqConnections | null,
  ) {}

  mongodb(): Promise<boolean> {
    return this.ask('mongodb', () => this.database.answers());
  }

  /** Whether MongoDB answers and has space: without, reads go on, so the process stays ready, but it isn't healthy. */
  async mongodbWithSpace(): Promise<boolean> {
    return (await this.mongodb()) && !this.database.isFull;
  }

  redisServer(): Promise<boolean> {
    return this.ask('redis', () => this.redis.ping());
  }

  fileStorage(): Promise<boolean> {
    return this.ask('storage', () => this.storage.ping());
  }

  /** @returns undefined without RabbitMQ */
  get rabbitmqServer(): boolean | undefined {
    return this.rabbitmq?.isConnected;
  }

  /** Why RabbitMQ keeps this process from publishing; undefined where it doesn't. */
  get rabbitmqBlockedBy(): string | undefined {
    return this.rabbitmq?.publishing.blockedBy;
  }

  /** @param ping resolves with false, or rejects, where the dependency doesn't answer as it should */
  private ask(name: string, ping: () => Promise<unknown>): Promise<boolean> {
    const last = this.answers.get(name);
    if (last && Date.now() - last.askedAt < ASKED_AT_MOST_EVERY_MS) return last.answer;
    const answer = within(ping(), TIMEOUT_MS, false).then(
      (outcome) => outcome !== false,
      () => false,
    );
    this.answers.set(name, { askedAt: Date.now(), answer });
    return answer;
  }
}
