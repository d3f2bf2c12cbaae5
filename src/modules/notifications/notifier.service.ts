import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import { isOfSmsCountry } from '../../common/phone/sms-countries.js';
import { SmsEnvironment } from '../../config/areas/sms.environment.js';
import type { NotificationEvent } from '../../contracts/notification-events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { ContactsService } from './contacts.service.js';
import { BurstsService } from './deliveries/bursts.service.js';
import { type DeliveryRequest, DeliveriesService } from './deliveries/deliveries.service.js';
import { OVER_QUOTA } from './deliveries/delivery-errors.js';
import { wants } from './deliveries/delivery-policy.js';
import { countDropped } from './deliveries/sending-metrics.js';
import { SendingQuotas } from './deliveries/sending-quotas.js';
import { InboxService } from './inbox.service.js';
import { pushReceiver } from './push/push-receiver.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';
import { isAboutAccount, type SentEvent, textOf } from './notification-texts.js';
import type { Contact } from './schemas/contact.schema.js';

type Message = Pick<DeliveryRequest, 'channel' | 'to' | 'token' | 'expiresAt'> & { data?: Record<string, string> };
/** The number, and the code, encrypted. */
type PhoneCode = { to: string; token: string; expiresAt: Date };
/** One way to a user: a channel, and for push a subscription. */
type Reached = Pick<DeliveryRequest, 'channel' | 'receiver'> & { to?: string };

/** Decides where a notification goes: the inbox, and the channels the user wants it by. */
@Injectable()
export class NotifierService {
  constructor(
    private readonly contacts: ContactsService,
    private readonly inbox: InboxService,
    private readonly deliveries: DeliveriesService,
    private readonly bursts: BurstsService,
    private readonly quotas: SendingQuotas,
    private readonly subscriptions: PushSubscriptionsService,
    private readonly personalData: PersonalData,
    private readonly transactions: Transactions,
    private readonly environment: SmsEnvironment,
  ) {}

  /** @param data what the text is made of, and what clients get with it */
  async notify(
    userId: string,
    event: NotificationEvent,
    data: Record<string, string>,
    tx: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, tx)) return;
    const user = new Types.ObjectId(userId);
    const contact = await this.contacts.find(user, tx);
    if (contact?.suspended) return;
    const muted = contact?.preferences?.mutedEvents.includes(event) ?? false;
    const notification = muted ? null : new Types.ObjectId();
    const inDigest = notification && contact?.preferences?.digest === 'daily' && !isAboutAccount(event);
    const reached = await this.findReached(userId, contact, event, tx);
    const requests = reached
      .filter(({ channel }) => !(inDigest && channel === 'email'))
      .map((to) => ({ user, notification, event, data, ...to }));

    const canCollapse = notification && contact && !isAboutAccount(event) && requests.length > 0;
    const collapsedInto = canCollapse
      ? await this.bursts.collect(contact, event, { requests, entry: notification }, tx)
      : null;
    if (notification) {
      const text = textOf(event, data, contact ?? {});
      const entry = { _id: notification, user, event, data, ...text, ...(collapsedInto && { collapsedInto }) };
      await this.inbox.add(entry, tx);
    }
    if (inDigest && reached.some(({ channel }) => channel === 'email')) {
      await this.deliveries.addToDigest(notification, contact, mailDomain(contact.email), tx);
    }
    if (!collapsedInto) await this.send(requests, tx);
  }

  /**
   * A message about the account by one channel alone, that is in no inbox.
   *
   * @param message `to`: where it isn't the contact's address, whatever that is by then; `token`: encrypted
   */
  async sendAlone(
    userId: string,
    event: SentEvent,
    { data = {}, ...message }: Message,
    tx: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, tx)) return;
    const contact = await this.contacts.find(userId, tx);
    const address = message.to ?? contact?.email;
    const receiver = message.channel === 'email' ? mailDomain(address ?? undefined) : '';
    const request = { user: new Types.ObjectId(userId), event, data, receiver, ...message };
    // A mail with a link was counted for its address before its event was published.
    if (message.token) await this.deliveries.add([request], tx);
    else await this.send([request], tx);
  }

  /**
   * Sends the code that verifies a phone number, by SMS.
   *
   * @throws Error while the proof of the user's address is on its way: the event that needs it comes again
   */
  async sendPhoneCode(userId: string, message: PhoneCode, tx: ClientSession): Promise<void> {
    if (message.expiresAt <= databaseDate() || (await this.personalData.isErased(userId, tx))) return;
    const contact = await this.contacts.find(userId, tx);
    if (!contact?.emailVerified) throw new Error("the proof of the address hasn't arrived yet: it gets no SMS before");
    if (!(await this.quotas.admitCode(tx))) return;
    await this.sendAlone(userId, 'account.phone-verification', { channel: 'sms', ...message }, tx);
  }

  /** Stores messages as far as the user's quotas reach; the others are stored as skipped. */
  private async send(requests: DeliveryRequest[], tx: ClientSession): Promise<void> {
    const [first] = requests;
    if (!first) return;
    const excess = await this.quotas.findExcess(String(first.user), requests, tx);
    const rows = requests.map((request) => (excess.has(request) ? { ...request, ...OVER_QUOTA } : request));
    await this.deliveries.add(rows, tx);
  }

  /** The ways on which a message of this kind reaches a user. */
  private async findReached(
    userId: string,
    contact: Contact | null,
    event: NotificationEvent,
    tx: ClientSession,
  ): Promise<Reached[]> {
    const reached: Reached[] = [];
    if (wants(contact, 'sms', event) && contact?.verifiedPhone && contact.emailVerified) {
      if (isOfSmsCountry(contact.verifiedPhone, this.environment.SMS_COUNTRIES)) {
        reached.push({ channel: 'sms', receiver: '' });
      } else {
        this.transactions.afterCommit(() => countDropped('sms', 'sms-not-allowed'), tx);
      }
    }
    if (wants(contact, 'push', event)) {
      const subscriptions = await this.subscriptions.findAll(new Types.ObjectId(userId), tx);
      const receivers = subscriptions.map(
        ({ _id, endpoint }) => [String(_id), pushReceiver(endpoint, userId)] as const,
      );
      reached.push(...receivers.map(([to, receiver]) => ({ channel: 'push' as const, to, receiver })));
    }
    if (wants(contact, 'email', event)) reached.push({ channel: 'email', receiver: mailDomain(contact?.email) });
    return reached;
  }
}

function mailDomain(address = ''): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
