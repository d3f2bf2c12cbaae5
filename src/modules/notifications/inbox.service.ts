import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, type QueryFilter, Types } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import { Cursors } from '../../common/pagination/cursor.js';
import type { Keyset } from '../../common/pagination/keyset.js';
import type { Page } from '../../common/pagination/page.dto.js';
import { paginate } from '../../common/pagination/paginate.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { rowsOf } from '../../platform/personal-data/personal-data.js';
import type { ListNotificationsQueryDto } from './dto/notification-requests.dto.js';
import type { NotificationResponseDto } from './dto/notification-response.dto.js';
import type { NotificationText } from './notification-texts.js';
import { etagOfNotification, toNotificationResponse } from './notification.mapper.js';
import { NotificationNotFoundError } from './notifications.errors.js';
import { InboxNews } from './realtime/inbox-news.js';
import { Notification } from './schemas/notification.schema.js';

const NEWEST_FIRST: Keyset<'createdAt'> = { field: 'createdAt', descending: true, type: 'date' };

/** A user's own inbox. */
@Injectable()
export class InboxService {
  constructor(
    @InjectModel(Notification.name) private readonly notifications: Model<Notification>,
    private readonly transactions: Transactions,
    private readonly cursors: Cursors,
    private readonly news: InboxNews,
  ) {}

  async list(userId: string, query: ListNotificationsQueryDto): Promise<Page<NotificationResponseDto>> {
    const filter: QueryFilter<Notification> = {
      ...ownedBy(userId).filter,
      ...(query.unread === undefined ? {} : { readAt: query.unread ? null : { $ne: null } }),
    };
    return await paginate(this.notifications, filter, {
      cursors: this.cursors,
      list: 'notifications',
      keyset: NEWEST_FIRST,
      query,
      map: toNotificationResponse,
    });
  }

  async countUnread(userId: string): Promise<number> {
    return await this.notifications.countDocuments({ ...ownedBy(userId).filter, readAt: null });
  }

  /** @throws NotificationNotFoundError, VersionMismatchError */
  async mark(userId: string, id: string, read: boolean, precondition: Precondition): Promise<NotificationResponseDto> {
    return await this.change(userId, async (tx) => {
      const before = await this.get(userId, id, precondition, tx);
      const readAt = read ? (before.readAt ?? databaseDate()) : null;
      await this.notifications.updateOne({ _id: id, ...ownedBy(userId).filter }, { $set: { readAt } }, { session: tx });
      return toNotificationResponse({ ...before, readAt });
    });
  }

  async markAllRead(userId: string): Promise<void> {
    await this.change(userId, async (tx) => {
      await this.notifications.updateMany(
        { ...ownedBy(userId).filter, readAt: null },
        { $set: { readAt: databaseDate() } },
        { session: tx },
      );
    });
  }

  /** @throws NotificationNotFoundError, VersionMismatchError */
  async delete(userId: string, id: string, precondition: Precondition): Promise<void> {
    await this.change(userId, async (tx) => {
      await this.get(userId, id, precondition, tx);
      await this.notifications.deleteOne({ _id: id, ...ownedBy(userId).filter }, { session: tx });
    });
  }

  /** Adds an entry, in the transaction of its cause. */
  async add(notification: Omit<Notification, 'readAt' | 'createdAt'>, tx: ClientSession): Promise<void> {
    await this.notifications.create([{ ...notification, createdAt: databaseDate() }], { session: tx });
    this.news.tellAfterCommit(String(notification.user), tx);
  }

  /** The texts of those of these entries that are still there, the oldest first. */
  async findTexts(userId: string, ids: Types.ObjectId[]): Promise<NotificationText[]> {
    const filter = { _id: { $in: ids }, ...ownedBy(userId).filter };
    return await this.notifications
      .find(filter, { _id: 0, title: 1, body: 1 })
      .sort({ _id: 1 })
      .lean<NotificationText[]>();
  }

  /** The messages that stand for an entry and others of its type. @throws NotificationNotFoundError */
  async findCollapsedInto(userId: string, id: string): Promise<Types.ObjectId[]> {
    const entry = await this.notifications.findOne({ _id: id, ...ownedBy(userId).filter }, { collapsedInto: 1 }).lean();
    if (!entry) throw new NotificationNotFoundError();
    return entry.collapsedInto ?? [];
  }

  exportAll(userId: string): AsyncIterable<NotificationResponseDto> {
    const query = this.notifications.find(ownedBy(userId).filter).sort({ createdAt: 1, _id: 1 }).lean<Notification[]>();
    return rowsOf(query, toNotificationResponse);
  }

  async removeAll(userId: string, tx: ClientSession): Promise<void> {
    await this.notifications.deleteMany(ownedBy(userId).filter, { session: tx });
    this.news.tellAfterCommit(userId, tx);
  }

  private async get(userId: string, id: string, precondition: Precondition, tx: ClientSession): Promise<Notification> {
    const notification = await this.notifications
      .findOne({ _id: id, ...ownedBy(userId).filter }, null, { session: tx })
      .lean<Notification>();
    if (!notification) throw new NotificationNotFoundError();
    assertMatches(precondition, etagOfNotification(toNotificationResponse(notification)));
    return notification;
  }

  private change<T>(userId: string, work: (tx: ClientSession) => Promise<T>): Promise<T> {
    return this.transactions.run(async (tx) => {
      this.news.tellAfterCommit(userId, tx);
      return await work(tx);
    });
  }
}
