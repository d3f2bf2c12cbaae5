import type { NotificationPreferences } from '../../../contracts/users.events.js';
import type { Contact } from '../schemas/contact.schema.js';
import type { Delivery } from '../schemas/delivery.schema.js';
import { judge, wants } from './delivery-policy.js';

const NIGHT = new Date('2035-01-15T23:30:00.000Z');
const ALL = { email: true, push: true, sms: true };
const NONE = { email: false, push: false, sms: false };
const quietHours = { start: '22:00', end: '07:00' };

function contactWith(preferences?: Partial<NotificationPreferences>, more: Partial<Contact> = {}): Contact {
  return {
    suspended: false,
    ...(preferences && { preferences: { channels: ALL, mutedEvents: [], quietHours: null, ...preferences } }),
    ...more,
  } as Contact;
}

const deliveryOf = (channel: Delivery['channel'], event: Delivery['event']) => ({ channel, event }) as Delivery;
const judged = (contact: Contact | null, event: Delivery['event'] = 'task.overdue') =>
  judge(deliveryOf('push', event), contact, NIGHT);

describe('whether a user wants a message', () => {
  it.each<[string, Contact | null]>([
    ['who is unknown', null],
    ['without preferences', contactWith()],
  ])('of a user %s: by mail and push, not by SMS', (_, contact) => {
    const channels = ['email', 'push', 'sms'] as const;
    expect(channels.filter((channel) => wants(contact, channel, 'task.overdue'))).toEqual(['email', 'push']);
  });

  it.each(['email', 'push', 'sms'] as const)('goes by their preference for %s', (channel) => {
    expect(wants(contactWith({ channels: { ...NONE, [channel]: true } }), channel, 'task.overdue')).toBe(true);
    expect(wants(contactWith({ channels: { ...ALL, [channel]: false } }), channel, 'task.overdue')).toBe(false);
  });

  it('is no for a muted event, on every channel, and yes for another one', () => {
    const contact = contactWith({ mutedEvents: ['task.overdue'] });
    expect(wants(contact, 'email', 'task.overdue')).toBe(false);
    expect(wants(contact, 'sms', 'task.overdue')).toBe(false);
    expect(wants(contact, 'email', 'task.reminder')).toBe(true);
  });

  it('is yes for a mail about the account, with any preferences', () => {
    const contact = contactWith({ channels: NONE });
    expect(wants(contact, 'email', 'account.new-login')).toBe(true);
    expect(wants(contact, 'push', 'account.new-login')).toBe(false);
  });
});

describe('what to do with a message', () => {
  it('is to send it where its receiver wants it', () => {
    expect(judged(contactWith({}))).toBe('send');
    expect(judged(null)).toBe('send');
  });

  it('is to drop it where its receiver no longer wants it', () => {
    expect(judged(contactWith({ channels: NONE }))).toBe('drop');
  });

  it('is to drop everything for a suspended user', () => {
    expect(judged(contactWith({}, { suspended: true }))).toBe('drop');
    expect(judged(contactWith({}, { suspended: true }), 'account.new-login')).toBe('drop');
  });

  it.each([
    ['UTC', '2035-01-16T07:00:00.000Z'],
    [undefined, '2035-01-16T07:00:00.000Z'],
    ['Europe/Vienna', '2035-01-16T06:00:00.000Z'],
    ['America/New_York', 'send'],
  ])('in quiet hours, with the time zone %s: %s', (timezone, expected) => {
    const decision = judged(contactWith({ quietHours }, timezone === undefined ? {} : { timezone }));
    expect(decision instanceof Date ? decision.toISOString() : decision).toBe(expected);
  });

  it('is to send it at once in quiet hours where it is about the account', () => {
    expect(judged(contactWith({ quietHours, channels: NONE }), 'account.new-login')).toBe('send');
  });

  it('is to drop it in quiet hours where it is not wanted', () => {
    expect(judged(contactWith({ quietHours, mutedEvents: ['task.overdue'] }))).toBe('drop');
  });
});
