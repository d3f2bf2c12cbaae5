import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, Types } from 'mongoose';
import { type Keyset, keysetAfter, keysetSort } from '../../../common/pagination/keyset.js';
import type { NotificationResponseDto } from '../dto/notification-response.dto.js';
import { InboxService } from '../inbox.service.js';
import { toNotificationResponse } from '../notification.mapper.js';
import { Notification } from '../schemas/notification.schema.js';

const OLDEST_FIRST: Keyset = { field: 'createdAt', descending: false, type: 'date' };
export const FEED_PAGE = 100;

/** What connections read of inboxes. */
@Injectable()
export class InboxFeed {
  constructor(
    @InjectModel(Notification.name) private readonly notifications: Model<Notification>,
    private readonly inbox: InboxService,
  ) {}

  /**
   * Up to `FEED_PAGE` notifications that were created at `since` (milliseconds) or later, the oldest first.
   *
   * @param last the last one of the page before
   */
  async read(userId: string, since: number, last: NotificationResponseDto | null): Promise<NotificationResponseDto[]> {
    const user = new Types.ObjectId(userId);
    const condition = last
      ? keysetAfter(OLDEST_FIRST, { value: last.createdAt, id: last.id })
      : { createdAt: { $gte: new Date(since) } };
    const rows = await this.notifications
      .find({ user, ...condition })
      .sort(keysetSort(OLDEST_FIRST))
      .limit(FEED_PAGE)
      .lean<Notification[]>();
    return rows.map(toNotificationResponse);
  }

  countUnread(userId: string): Promise<number> {
    return this.inbox.countUnread(userId);
  }

  /** Which of these users have a notification that was created at `since` (milliseconds) or later. */
  async findUsersWithNews(userIds: string[], since: number): Promise<string[]> {
    const users = userIds.map((id) => new Types.ObjectId(id));
    const found = await this.notifications.distinct('user', {
      user: { $in: users },
      createdAt: { $gte: new Date(since) },
    });
    return found.map(String);
  }
}
