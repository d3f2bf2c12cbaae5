import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import { type RawData, WebSocket } from 'ws';
import { databaseNow } from '../../../platform/database/database-clock.js';
import type { IssuedToken } from '../../../platform/revocation/known-endings.js';
import type { NotificationResponseDto } from '../dto/notification-response.dto.js';
import { FEED_PAGE, type InboxFeed } from './inbox-feed.js';

/**
 * How far each look goes back: a notification's time is taken before its transaction commits, by another process's
 * clock, so one may appear behind others that are later.
 */
export const OVERLAP_MS = 10_000;
/** In a burst, looks are this far apart; each then finds several. */
const PAUSE_MS = 20;
const RETRY_MS = 1000;

const messages = new Counter({
  name: 'websocket_messages_total',
  help: 'Messages sent to WebSocket clients, by type',
  labelNames: ['type'],
});
for (const type of ['ready', 'notification', 'unread'] satisfies Message['type'][]) messages.inc({ type }, 0);

type Message =
  | { type: 'ready' }
  | { type: 'notification'; notification: NotificationResponseDto }
  | { type: 'unread'; count: number };

/**
 * The connection of one authenticated client. It sends what the database holds and the client hasn't received. Every cause (a
 * change, a reconnection, the poll) leads to the same query, so causes that get lost or come twice do no harm. A message is
 * read from the database only after the one before was sent: a slow client costs no memory.
 */
export class LiveConnection {
  private readonly openedAt = Date.now();
  /** Notifications that were created before it (milliseconds) have been sent. */
  private seenUntil = 0;
  /** Those of the time since that have been sent: id -> time. */
  private readonly dealtWith = new Map<string, number>();
  private unread?: number;
  private started = false;
  private looking = false;
  private lookAgain = false;
  private alive = true;

  constructor(
    private readonly socket: WebSocket,
    readonly subject: IssuedToken,
    private readonly feed: InboxFeed,
    private readonly logger: Logger,
  ) {
    socket.on('pong', () => (this.alive = true));
  }

  get ageMs(): number {
    return Date.now() - this.openedAt;
  }

  /**
   * Says that it is ready, and goes on from there.
   *
   * @param since milliseconds; null where only what is new from now on is wanted
   */
  async start(since: number | null): Promise<void> {
    if (since === null) await this.look(databaseNow() - OVERLAP_MS, 'skip');
    else this.seenUntil = since - OVERLAP_MS;
    await this.send({ type: 'ready' });
    this.started = true;
    this.lookForNews();
  }

  /** There may be something new. */
  lookForNews(): void {
    if (!this.started) return;
    this.lookAgain = true;
    if (!this.looking) void this.keepLooking();
  }

  /** Asks whether the client is still there. @returns false where it hasn't answered since the last time */
  ping(): boolean {
    if (!this.alive) return false;
    this.alive = false;
    this.socket.ping();
    return true;
  }

  onMessage(listener: (data: RawData, isBinary: boolean) => void): void {
    this.socket.on('message', listener);
  }

  onClose(listener: () => void): void {
    this.socket.once('close', listener);
  }

  get isOpen(): boolean {
    return this.socket.readyState === WebSocket.OPEN;
  }

  close(code: number, reason: string): void {
    this.socket.close(code, reason);
  }

  terminate(): void {
    this.socket.terminate();
  }

  private async keepLooking(): Promise<void> {
    this.looking = true;
    while (this.lookAgain && this.socket.readyState === WebSocket.OPEN) {
      this.lookAgain = false;
      try {
        await this.look(this.seenUntil, 'send');
        await delay(PAUSE_MS);
      } catch (error) {
        if (this.socket.readyState !== WebSocket.OPEN) break;
        this.logger.warn({ err: error }, 'an inbox cannot be read for its WebSocket; trying again');
        this.lookAgain = true;
        await delay(RETRY_MS);
      }
    }
    this.looking = false;
  }

  private async look(since: number, what: 'send' | 'skip'): Promise<void> {
    const beganAt = databaseNow();
    let last: NotificationResponseDto | null = null;
    let page: NotificationResponseDto[];
    do {
      page = await this.feed.read(this.subject.userId, since, last);
      for (const notification of page) {
        if (what === 'send' && !this.dealtWith.has(notification.id)) {
          await this.send({ type: 'notification', notification });
        }
        this.dealtWith.set(notification.id, Date.parse(notification.createdAt));
      }
      last = page.at(-1) ?? null;
    } while (page.length === FEED_PAGE);
    this.forgetBefore(beganAt - OVERLAP_MS);
    if (what === 'send') await this.tellUnread();
  }

  private forgetBefore(time: number): void {
    this.seenUntil = time;
    for (const [id, createdAt] of this.dealtWith) {
      if (createdAt < time) this.dealtWith.delete(id);
    }
  }

  private async tellUnread(): Promise<void> {
    const count = await this.feed.countUnread(this.subject.userId);
    if (count === this.unread) return;
    await this.send({ type: 'unread', count });
    this.unread = count;
  }

  /** Resolves once the message has left for the network. If it can't leave, the client has gone: the connection ends. */
  private async send(message: Message): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.socket.send(JSON.stringify(message), (error) => {
        if (!error) return resolve();
        this.socket.terminate();
        reject(error);
      });
    });
    messages.inc({ type: message.type });
  }
}
