import type { ApiKeyScope } from './api-key-scope.js';
import { DomainEvent } from './event.js';
import type { Role } from './role.js';

/** An account was created; `subject` is the account's id, which is the user's id everywhere. */
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

/** `version` grows with each change of the account's address, role or status. */
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

/** `token` is encrypted (`OneTimeSecrets`). `movesAccount`: the link moves an existing account to this address. */
export class EmailVerificationRequestedEvent extends DomainEvent<{
  email: string;
  token: string;
  expiresAt: string;
  movesAccount?: boolean;
}> {
  static readonly type = 'auth.email-verification-requested.v1';
}

/** `token` is encrypted (`OneTimeSecrets`). */
export class PasswordResetRequestedEvent extends DomainEvent<{ email: string; token: string; expiresAt: string }> {
  static readonly type = 'auth.password-reset-requested.v1';
}

/**
 * `reset`: by a mailed link, which ends all that was set up in the account. `addressWasVerified`: false where nobody had
 * proven before whose the account is, so that what was set up in it may be somebody else's. `mfa`: whether a second
 * factor remains, and since when (null where that isn't known).
 */
export class PasswordChangedEvent extends DomainEvent<{
  changedAt: string;
  reset: boolean;
  addressWasVerified: boolean;
  mfa?: { enabled: boolean; since: string | null };
}> {
  static readonly type = 'auth.password-changed.v1';
}

export class MfaChangedEvent extends DomainEvent<{ enabled: boolean; changedAt: string }> {
  static readonly type = 'auth.mfa-changed.v1';
}

/** What the users module has decided about an account. Of two states the one with the higher version is valid. */
export interface AccountState {
  /** The version of the profile. */
  version: number;
  role: Role;
  status: 'active' | 'suspended' | 'deleted';
}

/**
 * Access has ended: of sessions, of API keys, and of the user's access tokens issued before `tokensValidFrom` (unless
 * it is null). `account` is set where a role, a suspension or a deletion is the reason. Published by the module that
 * ends the access; every process records it.
 */
export class SessionsRevokedEvent extends DomainEvent<{
  sessionIds: string[];
  tokensValidFrom: string | null;
  revokedAt: string;
  apiKeyIds?: string[];
  account?: AccountState;
}> {
  static readonly type = 'auth.sessions-revoked.v1';
}

/** What it takes to verify an API key. Of the hash (SHA-256 of 256 random bits) the key can't be made. */
export interface ApiKeyGrant {
  userId: string;
  secretHash: string;
  scopes: ApiKeyScope[];
  role: Role;
  expiresAt: string | null;
}

/** An API key was created, has another role, or was removed (`grant` is null); `subject` is the key's id. Every process handles it. */
export class ApiKeyChangedEvent extends DomainEvent<{ version: number; grant: ApiKeyGrant | null }> {
  static readonly type = 'auth.api-key-changed.v1';
}

/** An API key was created by its owner; `subject` is the owner's id. */
export class ApiKeyCreatedEvent extends DomainEvent<{
  apiKeyId: string;
  name: string;
  createdAt: string;
  expiresAt: string;
  ip: string;
  userAgent: string;
}> {
  static readonly type = 'auth.api-key-created.v1';
}

/** An API key expires soon, or has been given an expiry; `subject` is the owner's id. */
export class ApiKeyExpiringEvent extends DomainEvent<{ apiKeyId: string; name: string; expiresAt: string }> {
  static readonly type = 'auth.api-key-expiring.v1';
}

/** At most once a minute for each process that met the key; `subject` is the key's id. */
export class ApiKeyUsedEvent extends DomainEvent<{ usedAt: string }> {
  static readonly type = 'auth.api-key-used.v1';
}
