import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { databaseNow } from '../../../platform/database/database-clock.js';
import { Connections } from './connections.js';
import { InboxFeed } from './inbox-feed.js';
import { InboxNews } from './inbox-news.js';
import { OVERLAP_MS } from './live-connection.js';

const TICK_MS = 1000;
/** How often the database is polled while messages arrive; without them, at each tick. */
const INTERVAL_MS = 10_000;
const USERS_A_QUERY = 500;

/**
 * Tells a user's open connections that their inbox has changed: when a message says so, and, because messages may get lost,
 * by polling the database, for hundreds of users in one query.
 */
@Injectable()
export class InboxWatch implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(InboxWatch.name);
  private readonly end = new AbortController();
  private askedAt = databaseNow();
  private loop?: Promise<void>;

  constructor(
    private readonly connections: Connections,
    private readonly feed: InboxFeed,
    private readonly news: InboxNews,
  ) {}

  onApplicationBootstrap(): void {
    this.news.onNews((userId) => this.look(userId));
    this.news.onGap(() => this.connections.all().forEach((connection) => connection.lookForNews()));
    this.loop = this.watch();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.end.abort();
    await this.loop;
  }

  private async watch(): Promise<void> {
    const { signal } = this.end;
    while (!signal.aborted) {
      if (!this.news.flows || databaseNow() - this.askedAt >= INTERVAL_MS) await this.ask();
      await delay(TICK_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  private async ask(): Promise<void> {
    const beganAt = databaseNow();
    const userIds = this.connections.userIds();
    try {
      for (let from = 0; from < userIds.length; from += USERS_A_QUERY) {
        const some = userIds.slice(from, from + USERS_A_QUERY);
        const found = await this.feed.findUsersWithNews(some, this.askedAt - OVERLAP_MS);
        found.forEach((userId) => this.look(userId));
      }
      this.askedAt = beganAt;
    } catch (error) {
      this.logger.warn({ err: error }, 'the inboxes of connected users cannot be polled; trying again');
    }
  }

  private look(userId: string): void {
    this.connections.of('user', userId).forEach((connection) => connection.lookForNews());
  }
}
