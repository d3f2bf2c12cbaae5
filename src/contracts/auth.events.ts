import { DomainEvent } from './event.js';
import type { Role } from './role.js';

/** The purpose for which `SecretBox` encrypts tokens and codes in events: they stand in clear in no outbox or queue. */
export const ONE_TIME_TOKEN = 'one-time-token';

/** An account came to be; `subject` is the account's id, which is the user's id everywhere. */
export class AccountRegisteredEvent extends DomainEvent<{
  name: string;
  email: string;
  emailVerified: boolean;
  role: Role;
  registeredAt: string;
}> {
  static readonly type = 'auth.account-registered.v1';
}

/** The account's owner deleted it; the other modules learn of it by `users.user-deleted.v1`. */
export class AccountDeletedEvent extends DomainEvent<{ deletedAt: string }> {
  static readonly type = 'auth.account-deleted.v1';
}

/** `version` grows with each change of the account's address or of its standing. */
export class EmailVerifiedEvent extends DomainEvent<{ email: string; version: number }> {
  static readonly type = 'auth.email-verified.v1';
}

/** The new address is verified: its link was followed. */
export class EmailChangedEvent extends DomainEvent<{ email: string; version: number }> {
  static readonly type = 'auth.email-changed.v1';
}

/** A change was asked for and waits for the new address's confirmation; tells the old one (`email`). */
export class EmailChangeRequestedEvent extends DomainEvent<{ email: string; newEmail: string }> {
  static readonly type = 'auth.email-change-requested.v1';
}

/** A log-in that is not the registration itself. */
export class SessionStartedEvent extends DomainEvent<{
  sessionId: string;
  startedAt: string;
  ip: string;
  userAgent: string;
}> {
  static readonly type = 'auth.session-started.v1';
}

export class EmailVerificationRequestedEvent extends DomainEvent<{ email: string; token: string; expiresAt: string }> {
  static readonly type = 'auth.email-verification-requested.v1';
}

export class PasswordResetRequestedEvent extends DomainEvent<{ email: string; token: string; expiresAt: string }> {
  static readonly type = 'auth.password-reset-requested.v1';
}

export class PasswordChangedEvent extends DomainEvent<{ changedAt: string }> {
  static readonly type = 'auth.password-changed.v1';
}

export class MfaChangedEvent extends DomainEvent<{ enabled: boolean; changedAt: string }> {
  static readonly type = 'auth.mfa-changed.v1';
}
