import type { AccountState } from './auth.events.js';
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

/** A number waits to be confirmed by a code, which is encrypted (`OneTimeSecrets`). */
export class PhoneVerificationRequestedEvent extends DomainEvent<{ phone: string; code: string; expiresAt: string }> {
  static readonly type = 'users.phone-verification-requested.v1';
}

/** Who asked for a change, and from where. */
export interface ActorData {
  actorId: string;
  /** The API key that was used, if any. */
  apiKeyId: string | null;
  ip: string;
  userAgent: string;
}

/** Actions that other modules than auth add to the audit trail. */
export const AUDITED_ACTIONS = ['phone.changed', 'phone.verified', 'data.export-requested', 'access.refused'] as const;
export type AuditedAction = (typeof AUDITED_ACTIONS)[number];

/** An entry for the audit trail, which the auth module keeps. The process where the action happened publishes it. */
export class AuditedActionEvent extends DomainEvent<{
  action: AuditedAction;
  actor: ActorData;
  /** Ids and names, never a secret or a personal datum. */
  details: Record<string, string>;
}> {
  static readonly type = 'users.audited-action.v1';
}

/**
 * An administrator set another role. `actor` and `tokensValidFrom` are left out by releases before
 * `users.account-command.v1`; then the auth module also ends the tokens of the old role.
 */
export class RoleChangedEvent extends DomainEvent<{
  version: number;
  role: Role;
  actorId: string;
  actor?: ActorData;
  /** Access tokens issued earlier are revoked. */
  tokensValidFrom?: string | null;
}> {
  static readonly type = 'users.role-changed.v1';
}

/** A person is gone: every module erases what it holds of them. `actor` is set where an administrator did it. */
export class UserDeletedEvent extends DomainEvent<{ deletedAt: string; actorId: string; actor?: ActorData }> {
  static readonly type = 'users.user-deleted.v1';
}

/** What an administrator can do to an account. */
export const ACCOUNT_COMMANDS = [
  'update-profile',
  'set-role',
  'suspend',
  'unsuspend',
  'end-sessions',
  'remove-mfa',
  'delete',
] as const;
export type AccountCommand = (typeof ACCOUNT_COMMANDS)[number];

/**
 * An administrator's decision about an account, for the auth module to apply. `account` is the state after it. The
 * revocation of access is already published (`auth.sessions-revoked.v1`). A changed role is also published as
 * `users.role-changed.v1` and a deletion as `users.user-deleted.v1`; whichever event comes first is applied.
 */
export class AccountCommandEvent extends DomainEvent<{
  command: AccountCommand;
  account: AccountState;
  /** Access tokens issued earlier are revoked; null where the command doesn't end them. */
  tokensValidFrom: string | null;
  actor: ActorData;
  /** For the audit trail: the reason of a suspension, the names of changed fields. */
  details?: Record<string, string>;
}> {
  static readonly type = 'users.account-command.v1';
}
