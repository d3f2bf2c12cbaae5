import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import type { NotificationEvent } from '../../contracts/notification-events.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { ContactsService } from './contacts.service.js';
import { type DeliveryRequest, DeliveriesService } from './deliveries/deliveries.service.js';
import { wants } from './deliveries/delivery-policy.js';
import { InboxService } from './inbox.service.js';
import { pushReceiver } from './push/push-receiver.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';
import { isAboutAccount, type SentEvent, textOf } from './notification-texts.js';

type Message = Pick<DeliveryRequest, 'channel' | 'to' | 'token' | 'expiresAt'> & { data?: Record<string, string> };

/** Decides where a notification goes: the inbox, and the channels the user wants it by. */
@Injectable()
export class NotifierService {
  constructor(
    private readonly contacts: ContactsService,
    private readonly inbox: InboxService,
    private readonly deliveries: DeliveriesService,
    private readonly subscriptions: PushSubscriptionsService,
    private readonly personalData: PersonalData,
  ) {}

  /** @param data what the text is made of, and what clients get with it */
  async notify(
    userId: string,
    event: NotificationEvent,
    data: Record<string, string>,
    session: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, session)) return;
    const user = new Types.ObjectId(userId);
    const contact = await this.contacts.find(user, session);
    const muted = contact?.preferences?.mutedEvents.includes(event) ?? false;
    const text = textOf(event, data, contact ?? {});
    const notification = muted ? null : await this.inbox.add({ user, event, data, ...text }, session);
    const message = { user, notification, event, data };
    if (wants(contact, 'sms', event) && contact?.verifiedPhone) {
      await this.deliveries.add([{ ...message, channel: 'sms', receiver: '' }], session);
    }
    if (wants(contact, 'push', event)) {
      const subscriptions = await this.subscriptions.findAll(user, session);
      const messages = subscriptions.map(({ _id, endpoint }) => {
        return { ...message, channel: 'push' as const, to: String(_id), receiver: pushReceiver(endpoint, userId) };
      });
      await this.deliveries.add(messages, session);
    }
    if (!wants(contact, 'email', event)) return;
    const receiver = mailDomain(contact?.email);
    if (notification && contact?.preferences?.digest === 'daily' && !isAboutAccount(event)) {
      await this.deliveries.addToDigest(notification, contact, receiver, session);
    } else {
      await this.deliveries.add([{ ...message, channel: 'email', receiver }], session);
    }
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
    session: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, session)) return;
    const address = message.to ?? (await this.contacts.find(userId, session))?.email;
    const receiver = message.channel === 'email' ? mailDomain(address ?? undefined) : '';
    await this.deliveries.add([{ user: new Types.ObjectId(userId), event, data, receiver, ...message }], session);
  }
}

function mailDomain(address = ''): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
