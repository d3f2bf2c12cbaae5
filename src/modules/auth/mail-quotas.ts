import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { Counter } from 'prom-client';
import { addressKey } from '../../common/validation/mail-address.js';
import { QuotasEnvironment } from '../../config/areas/quotas.environment.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Quotas } from '../../platform/quotas/quotas.js';

const HOUR_MS = 3_600_000;

const dropped = new Counter({
  name: 'link_mails_dropped_total',
  help: 'Mails with links (verification, reset, change of address) that were not sent: the quota of the hour was used up',
});

/** Limits the mails with links that a stranger can cause, so that nobody's mailbox is flooded. */
@Injectable()
export class MailQuotas {
  constructor(
    private readonly quotas: Quotas,
    private readonly transactions: Transactions,
    private readonly environment: QuotasEnvironment,
  ) {}

  /**
   * Counts a password reset mail. Resets may use all mails of the hour.
   *
   * @param address the receiver
   * @returns false if the address has had all its mails of this hour: send nothing
   */
  async takeForReset(address: string, tx: ClientSession): Promise<boolean> {
    return await this.take(addressKey(address), this.environment.QUOTA_LINK_MAILS_PER_HOUR, tx);
  }

  /**
   * Counts a mail that verifies an address. It leaves the last mail of the hour to a password reset: otherwise an attacker
   * with a session could keep the owner from resetting the password by asking for verification mails.
   *
   * @param address the receiver
   * @returns false if only the mail for a reset is left, or none: send nothing
   */
  async takeForVerification(address: string, tx: ClientSession): Promise<boolean> {
    return await this.take(addressKey(address), Math.max(1, this.environment.QUOTA_LINK_MAILS_PER_HOUR - 1), tx);
  }

  /**
   * Counts an address change for the account that asks for it. Each of its mails goes to another address, so that the
   * limit per address alone would let one account write to everybody.
   *
   * @returns false if the account has asked for all its changes of this hour: send nothing
   */
  async takeForChange(userId: string, tx: ClientSession): Promise<boolean> {
    return await this.take(userId, this.environment.QUOTA_LINK_MAILS_PER_HOUR, tx);
  }

  /** Counts in the transaction that sends the mail; mails of all kinds to one subject are counted together. */
  private async take(subject: string, limit: number, tx: ClientSession): Promise<boolean> {
    if ((await this.quotas.take('link-mail', subject, { limit, windowMs: HOUR_MS }, tx)) === null) return true;
    this.transactions.afterCommit(() => dropped.inc(), tx);
    return false;
  }
}
