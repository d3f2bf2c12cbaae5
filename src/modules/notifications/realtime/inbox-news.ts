import { EventEmitter } from 'node:events';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { ClientSession } from 'mongoose';
import { Transactions } from '../../../platform/database/transactions.js';
import { InjectRedis, InjectRedisSubscriber } from '../../../platform/redis/redis.module.js';

const CHANNEL = 'inbox-news';

/**
 * Tells every process whose inbox has changed, through Redis: by the user's id alone, since the change itself is read from
 * the database. Messages may get lost, so listeners also poll the database (`InboxWatch`).
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

  /** Whether messages of other processes arrive at the moment. */
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

  /** Called when messages arrive again, after some may have been lost. */
  onGap(listener: () => void): void {
    this.emitter.on('gap', listener);
  }

  private tell(userId: string): void {
    this.emitter.emit('news', userId); // in this process at once, also without Redis
    this.redis.publish(CHANNEL, userId).catch(() => undefined); // other processes poll
  }

  private async subscribe(): Promise<void> {
    try {
      await this.subscriber.subscribe(CHANNEL);
      this.subscribed = true;
      this.emitter.emit('gap');
    } catch {
      // The connection is closed again: another 'ready' follows.
    }
  }
}
