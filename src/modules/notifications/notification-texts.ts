import type { NotificationEvent } from '../../contracts/notification-events.js';

/** A message in the words of the inbox and of mails. */
export interface NotificationText {
  title: string;
  body: string;
}

/** The events that are sent so far; a module that begins to send another adds its text here. */
export type SentEvent = Extract<
  NotificationEvent,
  'task.completed' | 'account.new-login' | 'account.email-verification'
>;

const TEXTS: Record<SentEvent, (data: Record<string, string>) => NotificationText> = {
  'task.completed': ({ title }) => ({ title: 'Task completed', body: `“${title}” is done.` }),
  'account.new-login': ({ startedAt, userAgent, ip }) => ({
    title: 'New log-in to your account',
    body: `Somebody logged in at ${startedAt} from ${ip} with ${userAgent || 'an unknown client'}. If that wasn't you, change your password.`,
  }),
  'account.email-verification': () => ({
    title: 'Confirm your email address',
    body: 'Follow the link to confirm that this address is yours. If you have not registered, ignore this mail.',
  }),
};

export function textOf(event: SentEvent, data: Record<string, string>): NotificationText {
  return TEXTS[event](data);
}
