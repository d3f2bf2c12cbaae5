import { tagOf } from '../../platform/cache/cached-answer.js';
import type { NotificationResponseDto } from './dto/notification-response.dto.js';
import type { Notification } from './schemas/notification.schema.js';

/** The entity tag of a notification, which has no version. */
export function etagOfNotification(notification: NotificationResponseDto): string {
  return tagOf(Buffer.from(JSON.stringify(notification)));
}

export function toNotificationResponse(notification: Notification): NotificationResponseDto {
  const { event, title, body, data } = notification;
  return {
    id: String(notification._id),
    event,
    title,
    body,
    data,
    readAt: notification.readAt?.toISOString() ?? null,
    createdAt: notification.createdAt.toISOString(),
  };
}
