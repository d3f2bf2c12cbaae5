import type { AccountState } from '../../contracts/auth.events.js';
import type { Role } from '../../contracts/role.js';

/** What an access token says of itself; `issuedAt` in seconds, as in the claim. */
export interface IssuedToken {
  userId: string;
  sessionId: string;
  issuedAt: number;
}

/** An API key, once its secret has been verified. */
export interface IssuedKey {
  userId: string;
  apiKeyId: string;
}

/** The end of a session, of an API key, or of all of a user's tokens that were issued before `at` (milliseconds). */
interface CredentialEnding {
  kind: 'session' | 'user' | 'key';
  subject: string;
  at: number;
}

/** A new role or status of an account; `subject` is the user's id, `at` the time of the decision. */
interface AccountChange {
  kind: 'account';
  subject: string;
  at: number;
  account: AccountState;
}

export type Ending = CredentialEnding | AccountChange;

/** The feed of ended access as this process holds it in memory. */
export class KnownEndings {
  /** `<kind>:<subject>` -> since when (milliseconds) */
  private readonly ended = new Map<string, number>();
  /** By the user's id. */
  private readonly accounts = new Map<string, AccountChange>();

  /** @param keepMs how long an ending matters: longer than an access token lives */
  constructor(private readonly keepMs: number) {}

  /** @returns whether it was new */
  add(ending: Ending): boolean {
    if (ending.kind === 'account') {
      const known = this.accounts.get(ending.subject);
      if (known && known.account.version >= ending.account.version) return false;
      this.accounts.set(ending.subject, ending);
      return true;
    }
    const key = `${ending.kind}:${ending.subject}`;
    if (ending.at <= (this.ended.get(key) ?? 0)) return false;
    this.ended.set(key, ending.at);
    return true;
  }

  hasEnded(credential: IssuedToken | IssuedKey): boolean {
    const { userId } = credential;
    if (this.statusOf(userId) !== 'active') return true;
    if ('apiKeyId' in credential) return this.ended.has(`key:${credential.apiKeyId}`);
    if (this.ended.has(`session:${credential.sessionId}`)) return true;
    const before = this.ended.get(`user:${userId}`);
    return before !== undefined && credential.issuedAt * 1000 < before;
  }

  /** @returns the time (milliseconds) before which this user's access tokens are revoked; 0 where there is none */
  tokensValidFrom(userId: string): number {
    return this.ended.get(`user:${userId}`) ?? 0;
  }

  statusOf(userId: string): AccountState['status'] {
    return this.accounts.get(userId)?.account.status ?? 'active';
  }

  /** @returns the role of a recent decision; undefined where there is none, and what the credential says is right */
  roleOf(userId: string): Role | undefined {
    return this.accounts.get(userId)?.account.role;
  }

  /** Forgets what no valid token can be affected by. A suspension lasts until it is lifted. */
  forgetExpired(now: number): void {
    for (const [key, at] of this.ended) {
      if (now - at > this.keepMs) this.ended.delete(key);
    }
    for (const [userId, { at, account }] of this.accounts) {
      if (account.status !== 'suspended' && now - at > this.keepMs) this.accounts.delete(userId);
    }
  }
}
