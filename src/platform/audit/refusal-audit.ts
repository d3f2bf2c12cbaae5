import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Actor } from '../../common/auth/actor.js';
import { Transactions } from '../database/transactions.js';
import { within } from '../overload/within.js';
import { AuditedActions } from './audited-actions.js';

/** How many refusals of one user a process audits in an hour. The access log has all of them. */
const PER_HOUR = 10;
const HOUR_MS = 3_600_000;
/** How many users are counted. Beyond that, the least recently refused user is dropped and starts again at 0. */
const MAX_USERS = 50_000;
/** How long the answer to a refused request waits for its audit entry, in milliseconds. */
const MAX_WAIT_MS = 1_000;

/** The route that refused a user, and what it requires: a role, a scope, or a session. */
export interface Refusal {
  method: string;
  /** The pattern of the route, never the path of the request. */
  route: string;
  needs: string;
}

/**
 * Audits requests that were refused because the user's role or API key's scopes don't allow them. The number of entries is
 * limited per user, so that nobody can flood the audit trail.
 */
@Injectable()
export class RefusalAudit {
  private readonly logger = new Logger(RefusalAudit.name);
  private readonly counts = new LRUCache<string, { refusals: number }>({ max: MAX_USERS, ttl: HOUR_MS });

  constructor(
    private readonly transactions: Transactions,
    private readonly actions: AuditedActions,
  ) {}

  /** Never throws: the request is refused even if the entry can't be stored. */
  async add(actor: Actor, refusal: Refusal): Promise<void> {
    if (!this.isToBeAudited(actor.principal.userId)) return;
    const added = this.transactions.run((session) =>
      this.actions.add('access.refused', actor, { ...refusal }, session),
    );
    const logged = added.catch((err: unknown) => this.logger.warn({ err }, 'a refused request could not be audited'));
    await within(logged, MAX_WAIT_MS, undefined);
  }

  private isToBeAudited(userId: string): boolean {
    const count = this.counts.get(userId) ?? { refusals: 0 };
    if (count.refusals === 0) this.counts.set(userId, count);
    return ++count.refusals <= PER_HOUR;
  }
}
