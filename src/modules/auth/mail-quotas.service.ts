import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { Counter } from 'prom-client';
import { Environment } from '../../config/environment.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Quotas } from '../../platform/quotas/quotas.js';

const HOUR_MS = 3_600_000;

const dropped = new Counter({
  name: 'link_mails_dropped_total',
  help: 'Mails with links (verification, reset, change of address) that were not sent: the quota of the hour was used up',
});

/** Keeps people's mailboxes from being flooded by others who know their address. */
@Injectable()
export class MailQuotas {
  constructor(
    private readonly quotas: Quotas,
    private readonly transactions: Transactions,
    private readonly environment: Environment,
  ) {}

  /**
   * Counts a mail with a link, in the transaction that sends it: all kinds of them together.
   *
   * @param subject whom it is counted for: an address, or an account where each mail goes to another address
   * @returns false where the hour's mails are used up
   */
  async take(subject: string, session: ClientSession): Promise<boolean> {
    const allowance = { limit: this.environment.QUOTA_LINK_MAILS_PER_HOUR, windowMs: HOUR_MS };
    if ((await this.quotas.take('link-mail', subject, allowance, session)) === null) return true;
    this.transactions.afterCommit(session, () => dropped.inc());
    return false;
  }
}
