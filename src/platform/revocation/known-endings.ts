import type { AccountState } from '../../contracts/auth.events.js';
import { type Role, ROLES } from '../../contracts/role.js';

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
  /** `<kind>:<subject>` -> since when (milliseconds), and when it was first received */
  private readonly ended = new Map<string, { at: number; receivedAt: number }>();
  /** By the user's id. */
  private readonly accounts = new Map<string, AccountChange & { receivedAt: number }>();

  /**
   * @param keepMs how long an ending matters after it was first received: longer than an access token lives
   * @param now a monotonic clock (milliseconds): the time of a decision is by another machine's clock
   */
  constructor(
    private readonly keepMs: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @returns whether it was new */
  add(ending: Ending): boolean {
    const receivedAt = this.now();
    if (ending.kind === 'account') {
      const known = this.accounts.get(ending.subject);
      if (known && known.account.version >= ending.account.version) return false;
      this.accounts.set(ending.subject, { ...ending, receivedAt });
      return true;
    }
    const key = `${ending.kind}:${ending.subject}`;
    if (ending.at <= this.timeOf(key)) return false;
    this.ended.set(key, { at: ending.at, receivedAt });
    return true;
  }

  hasEnded(credential: IssuedToken | IssuedKey): boolean {
    const { userId } = credential;
    if (this.statusOf(userId) !== 'active') return true;
    if ('apiKeyId' in credential) return this.ended.has(`key:${credential.apiKeyId}`);
    if (this.ended.has(`session:${credential.sessionId}`)) return true;
    return credential.issuedAt * 1000 < this.timeOf(`user:${userId}`);
  }

  /** @returns the time (milliseconds) before which this user's access tokens are revoked; 0 where there is none */
  tokensValidFrom(userId: string): number {
    return this.timeOf(`user:${userId}`);
  }

  statusOf(userId: string): AccountState['status'] {
    return this.accounts.get(userId)?.account.status ?? 'active';
  }

  /** @returns the lower one of a credential's role and that of a recent decision, if there is one */
  roleAtMost(userId: string, role: Role): Role {
    const decided = this.accounts.get(userId)?.account.role ?? role;
    return ROLES.indexOf(decided) < ROLES.indexOf(role) ? decided : role;
  }

  /** @returns the role of a recent decision where it is newer than the copy, else the copy's */
  roleSince(userId: string, copy: Pick<AccountState, 'role' | 'version'>): Role {
    const known = this.accounts.get(userId)?.account;
    return known && known.version > copy.version ? known.role : copy.role;
  }

  /** Forgets what no valid token can be affected by. A suspension lasts until it is lifted. */
  forgetExpired(): void {
    const oldest = this.now() - this.keepMs;
    for (const [key, { receivedAt }] of this.ended) {
      if (receivedAt < oldest) this.ended.delete(key);
    }
    for (const [userId, { receivedAt, account }] of this.accounts) {
      if (account.status !== 'suspended' && receivedAt < oldest) this.accounts.delete(userId);
    }
  }

  /** @returns milliseconds; 0 where it isn't known */
  private timeOf(key: string): number {
    return this.ended.get(key)?.at ?? 0;
  }
}
