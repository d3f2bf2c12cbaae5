import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { ClientSession } from 'mongoose';
import { type Actor, actorData } from '../../common/auth/actor.js';
import { type AuditedAction, AuditedActionEvent } from '../../contracts/users.events.js';
import { Transactions } from '../database/transactions.js';
import { Outbox } from '../messaging/outbox.js';

/** How many times a process audits one action of one actor, on one user, in an hour. The access log has all of them. */
const PER_HOUR = 10;
const HOUR_MS = 3_600_000;
/** How many counts are kept. Beyond that, the least recently used one is dropped and starts again at 0. */
const MAX_COUNTS = 50_000;

type Details = Record<string, string>;

interface Count {
  /** That were committed in this hour. */
  entries: number;
  /** Whose own transactions are running. */
  pending: number;
}

/**
 * Adds entries to the audit trail from outside the auth module, which keeps it: as events. The number of entries is limited, so
 * that nobody can flood the trail. Only entries that are committed count; transactions that run at once may exceed the limit.
 */
@Injectable()
export class AuditedActions {
  private readonly counts = new LRUCache<string, Count>({ max: MAX_COUNTS, ttl: HOUR_MS });

  constructor(
    private readonly outbox: Outbox,
    private readonly transactions: Transactions,
  ) {}

  /**
   * Adds an entry, unless the limit of the hour is reached.
   *
   * @param details ids and names, never a secret or a personal datum; `userId` where another user is affected
   * @param tx the transaction that carries out the action
   */
  async add(action: AuditedAction, actor: Actor, details: Details, tx: ClientSession): Promise<void> {
    const count = this.countOf(action, actor, details);
    if (count.entries >= PER_HOUR) return;
    const { userId } = actor.principal;
    await this.outbox.add([new AuditedActionEvent(userId, { action, actor: actorData(actor), details })], tx);
    this.transactions.afterCommit(() => void count.entries++, tx);
  }

  /** The same in a transaction of its own; of those that run at once, only so many are begun as the limit has room for. */
  async addAlone(action: AuditedAction, actor: Actor, details: Details): Promise<void> {
    const count = this.countOf(action, actor, details);
    if (count.entries + count.pending >= PER_HOUR) return;
    count.pending++;
    try {
      await this.transactions.run((tx) => this.add(action, actor, details, tx));
    } finally {
      count.pending--;
    }
  }

  private countOf(action: AuditedAction, { principal }: Actor, { userId = '' }: Details): Count {
    const key = `${action} ${principal.userId} ${userId}`;
    const known = this.counts.get(key);
    if (known) return known;
    const count = { entries: 0, pending: 0 };
    this.counts.set(key, count);
    return count;
  }
}
