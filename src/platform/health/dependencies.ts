import { Inject, Injectable } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { Redis } from 'ioredis';
import type { Connection } from 'mongoose';
import { RabbitMqConnection } from '../messaging/rabbitmq/rabbitmq-connection.js';
import { ObjectStorage } from '../storage/object-storage.js';
import { InjectRedis } from '../redis/redis.module.js';

const ASKED_AT_MOST_EVERY_MS = 1000;
const TIMEOUT_MS = 1000;

/** Whether the dependencies answer; each is asked at most once a second, however many probes there are. */
@Injectable()
export class Dependencies {
  private readonly answers = new Map<string, { askedAt: number; answer: Promise<boolean> }>();

  constructor(
    @InjectConnection() private readonly connection: Connection,
    @InjectRedis() private readonly redis: Redis,
    private readonly storage: ObjectStorage,
    @Inject(RabbitMqConnection) private readonly rabbitmq: RabbitMqConnection | null,
  ) {}

  mongodb(): Promise<boolean> {
    return this.ask('mongodb', () => this.connection.db?.command({ ping: 1 }, { timeoutMS: TIMEOUT_MS }));
  }

  redisServer(): Promise<boolean> {
    return this.ask('redis', () => this.redis.ping());
  }

  fileStorage(): Promise<boolean> {
    return this.ask('storage', () => this.storage.ping());
  }

  /** @returns undefined where events don't travel by RabbitMQ */
  get rabbitmqServer(): boolean | undefined {
    return this.rabbitmq?.isConnected;
  }

  private ask(name: string, ping: () => Promise<unknown> | undefined): Promise<boolean> {
    const last = this.answers.get(name);
    if (last && Date.now() - last.askedAt < ASKED_AT_MOST_EVERY_MS) return last.answer;
    const answer = Promise.resolve(ping()).then(
      () => true,
      () => false,
    );
    this.answers.set(name, { askedAt: Date.now(), answer });
    return answer;
  }
}
