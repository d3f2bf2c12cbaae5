import { DomainEvent } from './event.js';
import type { Role } from './role.js';

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

export class EmailVerifiedEvent extends DomainEvent<{ email: string }> {
  static readonly type = 'auth.email-verified.v1';
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

/** `token` is encrypted with `APP_SECRETS` (see `SecretBox`): it stands in clear in no outbox, queue or dead letter. */
export class EmailVerificationRequestedEvent extends DomainEvent<{ email: string; token: string; expiresAt: string }> {
  static readonly type = 'auth.email-verification-requested.v1';
}

/** The purpose for which `SecretBox` encrypts the tokens in these events. */
export const ONE_TIME_TOKEN = 'one-time-token';
