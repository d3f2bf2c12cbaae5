import { EventEmitter } from 'node:events';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { ClientSession } from 'mongoose';
import { Transactions } from '../../../platform/database/transactions.js';
import { InjectRedis, InjectRedisSubscriber } from '../../../platform/redis/redis.module.js';

const CHANNEL = 'inbox-news';

/**
 * Says to every process whose inbox has changed, through Redis: the user's id and nothing else, since what has changed
 * is read from the database. News may get lost; whoever listens has to look for itself now and then.
 */
@Injectable()
export class InboxNews implements OnModuleInit {
  private readonly emitter = new EventEmitter<{ news: [userId: string]; gap: [] }>();
  private subscribed = false;

  constructor(
    private readonly transactions: Transactions,
    @InjectRedis() private readonly redis: Redis,
    @InjectRedisSubscriber() private readonly subscriber: Redis,
  ) {}

  onModuleInit(): void {
    this.subscriber.on('message', (channel, userId) => {
      if (channel === CHANNEL) this.emitter.emit('news', userId);
    });
    this.subscriber.on('ready', () => void this.subscribe());
    this.subscriber.on('close', () => (this.subscribed = false));
    if (this.subscriber.status === 'ready') void this.subscribe();
  }

  /** Whether news of other processes can be expected to arrive. */
  get flows(): boolean {
    return this.subscribed;
  }

  /**
   * Once the transaction is committed, and behind all else that follows it: a client that reads a list at
   * once must not get the one that was cached before.
   */
  tellAfterCommit(userId: string, tx: ClientSession): void {
    this.transactions.afterCommit(() => {
      this.transactions.afterCommit(() => this.tell(userId), tx);
    }, tx);
  }

  onNews(listener: (userId: string) => void): void {
    this.emitter.on('news', listener);
  }

  /** News flow again, after some may have been lost. */
  onGap(listener: () => void): void {
    this.emitter.on('gap', listener);
  }

  private tell(userId: string): void {
    this.emitter.emit('news', userId); // here at once, Redis or not
    this.redis.publish(CHANNEL, userId).catch(() => undefined); // elsewhere they look for themselves soon
  }

  private async subscribe(): Promise<void> {
    try {
      await this.subscriber.subscribe(CHANNEL);
      this.subscribed = true;
      this.emitter.emit('gap');
    } catch {
      // The connection broke again: 'ready' comes again, too.
    }
  }
}
