import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { Quotas } from '../../platform/quotas/quotas.js';
import type { TokenPurpose } from './schemas/one-time-token.schema.js';

const PER_HOUR = { limit: 3, windowMs: 3_600_000 };

/** Keeps people's mailboxes from being flooded by whoever knows their address: three mails of a kind in any hour. */
@Injectable()
export class MailQuotas {
  constructor(private readonly quotas: Quotas) {}

  /**
   * Counts a mail, in the transaction that sends it.
   *
   * @param subject whom it is counted for: an address, or an account where each mail goes to another address
   * @returns false where the hour's mails are used up
   */
  async take(purpose: TokenPurpose, subject: string, session: ClientSession): Promise<boolean> {
    return (await this.quotas.take(purpose, subject, PER_HOUR, session)) === null;
  }
}
