import { DomainEvent } from './event.js';
import type { NotificationEvent } from './notification-events.js';
import type { Role } from './role.js';

export class ProfileChangedEvent extends DomainEvent<{
  version: number;
  name: string;
  locale: string;
  timezone: string;
  /** E.164, once it is confirmed; null without one. Events of older releases leave it out. */
  verifiedPhone?: string | null;
}> {
  static readonly type = 'users.profile-changed.v1';
}

/** What a person wants to hear of, and how; quiet hours are `HH:MM` in the user's time zone. */
export interface NotificationPreferences {
  channels: { email: boolean; push: boolean; sms: boolean };
  mutedEvents: NotificationEvent[];
  quietHours: { start: string; end: string } | null;
  digest: 'off' | 'daily';
}

export class PreferencesChangedEvent extends DomainEvent<{ version: number; preferences: NotificationPreferences }> {
  static readonly type = 'users.preferences-changed.v1';
}

/** A number waits to be confirmed by a code, which is encrypted (`ONE_TIME_TOKEN`). */
export class PhoneVerificationRequestedEvent extends DomainEvent<{ phone: string; code: string; expiresAt: string }> {
  static readonly type = 'users.phone-verification-requested.v1';
}

export class RoleChangedEvent extends DomainEvent<{ version: number; role: Role; actorId: string }> {
  static readonly type = 'users.role-changed.v1';
}

/** A person is gone: every module erases what it holds of them. */
export class UserDeletedEvent extends DomainEvent<{ deletedAt: string; actorId: string }> {
  static readonly type = 'users.user-deleted.v1';
}
