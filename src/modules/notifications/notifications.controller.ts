import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiTags } from '@nestjs/swagger';
import { CurrentUser, type Principal } from '../../common/auth/principal.js';
import { AllowApiKeys } from '../../common/auth/scopes.js';
import { Conditional } from '../../common/http/conditional.decorator.js';
import type { Precondition } from '../../common/http/etag.js';
import { Versioned } from '../../common/http/versioned.decorator.js';
import { IdPipe } from '../../common/http/id.pipe.js';
import { CacheResponse } from '../../platform/cache/cache-response.interceptor.js';
import { ListNotificationsQueryDto, MarkNotificationDto } from './dto/notification-requests.dto.js';
import { wholeList } from '../../common/pagination/page.dto.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { DeliveryListResponseDto } from './dto/delivery-response.dto.js';
import {
  NotificationListResponseDto,
  NotificationResponseDto,
  UnreadCountResponseDto,
} from './dto/notification-response.dto.js';
import { InboxService } from './inbox.service.js';
import { etagOfNotification } from './notification.mapper.js';

@ApiTags('Notifications')
@AllowApiKeys('notifications')
@Controller('notifications')
export class NotificationsController {
  constructor(
    private readonly inbox: InboxService,
    private readonly deliveries: DeliveriesService,
  ) {}

  /**
   * List your notifications.
   *
   * @remarks The inbox, newest first. It has every notification that you have not muted, whichever channels it was sent
   * by.
   */
  @CacheResponse('notifications')
  @Get()
  listNotifications(
    @CurrentUser() user: Principal,
    @Query() query: ListNotificationsQueryDto,
  ): Promise<NotificationListResponseDto> {
    return this.inbox.list(user.userId, query);
  }

  /**
   * Count your unread notifications.
   *
   * @remarks The number for a badge. WebSocket clients receive it as it changes.
   */
  @CacheResponse('notifications')
  @Get('unread-count')
  async countUnread(@CurrentUser() user: Principal): Promise<UnreadCountResponseDto> {
    return { count: await this.inbox.countUnread(user.userId) };
  }

  /**
   * Mark a notification as read or unread.
   *
   * @remarks `readAt` is the time of the first marking; marking as unread sets it to null.
   */
  @Versioned(etagOfNotification)
  @Patch(':id')
  markNotification(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Body() body: MarkNotificationDto,
    @Conditional() precondition: Precondition,
  ): Promise<NotificationResponseDto> {
    return this.inbox.mark(user.userId, id, body.read, precondition);
  }

  /**
   * Mark all your notifications as read.
   *
   * @remarks Notifications that arrive later are unread. Has no conditions, because it concerns no single resource.
   */
  @HttpCode(204)
  @Post('read-all')
  markAllRead(@CurrentUser() user: Principal): Promise<void> {
    return this.inbox.markAllRead(user.userId);
  }

  /**
   * Delete a notification.
   *
   * @remarks Removes it from the inbox for good. Messages that were sent for it by other channels are not recalled.
   */
  @HttpCode(204)
  @Delete(':id')
  deleteNotification(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
    @Conditional() precondition: Precondition,
  ): Promise<void> {
    return this.inbox.delete(user.userId, id, precondition);
  }

  /**
   * List the deliveries of a notification.
   *
   * @remarks One entry per message that was sent for the notification, with its channel, state and attempts. Entries are
   * kept for 30 days. The list is complete: it has no further pages.
   */
  @Get(':id/deliveries')
  async listDeliveries(
    @CurrentUser() user: Principal,
    @Param('id', IdPipe) id: string,
  ): Promise<DeliveryListResponseDto> {
    return wholeList(await this.deliveries.list(user.userId, id));
  }
}
