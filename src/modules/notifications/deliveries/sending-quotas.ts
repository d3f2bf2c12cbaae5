import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { QuotasEnvironment } from '../../../config/areas/quotas.environment.js';
import { type ChannelName, CHANNELS } from '../../../contracts/notification-events.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { Quotas } from '../../../platform/quotas/quotas.js';
import { isAboutAccount, isLogIn, type SentEvent } from '../notification-texts.js';
import { countDropped, type DropReason } from './sending-metrics.js';

/** A message that asks to be sent. */
interface Candidate {
  channel: ChannelName;
  event: SentEvent;
}

/** All users share the budget of SMS. */
const EVERYBODY = 'everybody';

/**
 * How many messages go out in a day, counted in the transaction that stores them. Messages about the account have a quota
 * of their own, and log-ins another one, so that neither tasks nor log-ins can use up the quota of security notices. Mails
 * with links aren't counted here: they have a quota by address.
 */
@Injectable()
export class SendingQuotas {
  constructor(
    private readonly quotas: Quotas,
    private readonly transactions: Transactions,
    private readonly environment: QuotasEnvironment,
  ) {}

  /**
   * Counts messages of one event to one user. Mails to an address that isn't verified count as well: those that wait, for
   * the end of quiet hours or for a mail server, are sent if it is verified by then.
   *
   * @returns those of the messages that are over the quota
   */
  async findExcess<T extends Candidate>(userId: string, messages: T[], tx: ClientSession): Promise<Set<T>> {
    const excess: T[] = [];
    for (const channel of CHANNELS) {
      const wanted = messages.filter((message) => message.channel === channel);
      const [first] = wanted;
      if (!first) continue;
      const count = await this.takeOfUser(userId, first, wanted.length, tx);
      excess.push(...wanted.slice(count));
    }
    return new Set(excess);
  }

  /** Whether an SMS with a code may be sent: codes can use the whole of the day's budget. */
  async admitCode(tx: ClientSession): Promise<boolean> {
    const count = await this.takeOfBudget(this.environment.QUOTA_ALL_SMS_PER_DAY, 1, tx);
    return count === 1;
  }

  private async takeOfUser(
    userId: string,
    { channel, event }: Candidate,
    wanted: number,
    tx: ClientSession,
  ): Promise<number> {
    const kind = isLogIn(event) ? `${channel}-log-in` : isAboutAccount(event) ? `${channel}-about-account` : channel;
    const limit = this.limitOf(channel);
    const count = await this.quotas.takeOfDay(kind, userId, { limit, wanted }, tx);
    this.countDropped(channel, 'user-quota', wanted - count, tx);
    if (channel !== 'sms' || count === 0) return count;
    const { QUOTA_ALL_SMS_PER_DAY: budget, QUOTA_SMS_CODES_PERCENT: forCodes } = this.environment;
    return await this.takeOfBudget(Math.floor((budget * (100 - forCodes)) / 100), count, tx);
  }

  private async takeOfBudget(limit: number, wanted: number, tx: ClientSession): Promise<number> {
    const count = await this.quotas.takeOfDay('all-sms', EVERYBODY, { limit, wanted }, tx);
    this.countDropped('sms', 'sms-budget', wanted - count, tx);
    return count;
  }

  private countDropped(channel: ChannelName, reason: DropReason, count: number, tx: ClientSession): void {
    if (count > 0) this.transactions.afterCommit(() => countDropped(channel, reason, count), tx);
  }

  private limitOf(channel: ChannelName): number {
    const { QUOTA_SMS_PER_DAY, QUOTA_MAILS_PER_DAY, QUOTA_PUSHES_PER_DAY } = this.environment;
    return { sms: QUOTA_SMS_PER_DAY, email: QUOTA_MAILS_PER_DAY, push: QUOTA_PUSHES_PER_DAY }[channel];
  }
}
