import { isAboutAccount } from '../notification-texts.js';
import type { Contact } from '../schemas/contact.schema.js';
import type { Delivery } from '../schemas/delivery.schema.js';
import { quietUntil } from './local-time.js';

/** For users who have not chosen. */
const WANTED_BY_DEFAULT = { email: true, push: true, sms: false };

/** Whether a user wants messages of this kind by this channel; messages about the account always go by mail. */
export function wants(contact: Contact | null, channel: Delivery['channel'], event: Delivery['event']): boolean {
  if (channel === 'email' && isAboutAccount(event)) return true;
  const { channels = WANTED_BY_DEFAULT, mutedEvents = [] } = contact?.preferences ?? {};
  return channels[channel] && !(mutedEvents as string[]).includes(event);
}

/**
 * What to do with a message now: asked at each attempt, since its receiver may have changed their mind.
 *
 * @returns the end of the quiet hours where it has to wait for that
 */
export function judge({ channel, event }: Delivery, contact: Contact | null, now: Date): 'send' | 'drop' | Date {
  if (contact?.suspended) return 'drop';
  if (isAboutAccount(event)) return 'send';
  if (!wants(contact, channel, event)) return 'drop';
  const quietHours = contact?.preferences?.quietHours;
  return (quietHours && quietUntil(now, quietHours, contact.timezone ?? 'UTC')) ?? 'send';
}
