import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { MailQuota } from './schemas/mail-quota.schema.js';
import type { TokenPurpose } from './schemas/one-time-token.schema.js';

const WINDOW_MS = 3_600_000;
const MAX_MAILS = 3;

/** Keeps people's mailboxes from being flooded by whoever knows their address: three mails of a kind in any hour. */
@Injectable()
export class MailQuotas {
  constructor(@InjectModel(MailQuota.name) private readonly quotas: Model<MailQuota>) {}

  /**
   * Counts a mail, in the transaction that sends it; of two that count at once, one begins anew.
   *
   * @param subject whom it is counted for: an address, or an account where each mail goes to another address
   * @returns false where the hour's mails are used up
   */
  async take(purpose: TokenPurpose, subject: string, session: ClientSession): Promise<boolean> {
    const _id = `${purpose}:${createHash('sha256').update(subject).digest('base64url')}`;
    const now = Date.now();
    const quota = await this.quotas.findById(_id, null, { session }).lean();
    const recent = (quota?.sentAt ?? []).filter((at) => at.getTime() > now - WINDOW_MS);
    if (recent.length >= MAX_MAILS) return false;
    const changes = { sentAt: [...recent, new Date(now)], expiresAt: new Date(now + WINDOW_MS) };
    await this.quotas.updateOne({ _id }, { $set: changes }, { session, upsert: true });
    return true;
  }
}
