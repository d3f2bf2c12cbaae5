import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import type { PasswordChangedEvent } from '../../contracts/auth.events.js';
import { ContactsService } from './contacts.service.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';

const SHOWN_DIGITS = 4;

/** What is still set up in an account after its password was reset: its owner may not know all of it. */
@Injectable()
export class RemainingSetup {
  constructor(
    private readonly contacts: ContactsService,
    private readonly subscriptions: PushSubscriptionsService,
  ) {}

  /**
   * @param mfa of the event; missing in events of earlier releases
   * @returns what the text of the mail is made of; times in RFC 3339
   */
  async find(
    userId: string,
    mfa: PasswordChangedEvent['data']['mfa'],
    tx: ClientSession,
  ): Promise<Record<string, string>> {
    const { verifiedPhone, phoneVerifiedAt } = (await this.contacts.find(userId, tx)) ?? {};
    const browsers = await this.subscriptions.findAll(new Types.ObjectId(userId), tx);
    const latest = Math.max(...browsers.map(({ subscribedAt }) => subscribedAt.getTime()));
    return {
      ...(mfa?.enabled && { mfa: 'true', ...(mfa.since && { mfaSince: mfa.since }) }),
      ...(verifiedPhone && { phone: verifiedPhone.slice(-SHOWN_DIGITS) }),
      ...(verifiedPhone && phoneVerifiedAt && { phoneSince: phoneVerifiedAt.toISOString() }),
      ...(browsers.length > 0 && { browsers: String(browsers.length), browserSince: new Date(latest).toISOString() }),
    };
  }
}
