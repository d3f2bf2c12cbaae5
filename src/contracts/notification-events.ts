/** What notifies a user, by the name that preferences and the inbox know it by. */
export const NOTIFICATION_EVENTS = [
  'task.reminder',
  'task.overdue',
  'task.completed',
  'account.new-login',
  'account.password-changed',
  'account.email-verification',
  'account.password-reset',
  'account.mfa-changed',
  'account.api-key-created',
  'digest.daily',
] as const;
export type NotificationEvent = (typeof NOTIFICATION_EVENTS)[number];

/** The ways to reach a user outside of the inbox, by the names that preferences know them by. */
export const CHANNELS = ['email', 'push', 'sms'] as const;
export type ChannelName = (typeof CHANNELS)[number];
