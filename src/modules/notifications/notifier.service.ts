import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import type { NotificationEvent } from '../../contracts/notification-events.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { ContactsService } from './contacts.service.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { wants } from './deliveries/delivery-policy.js';
import { InboxService } from './inbox.service.js';
import { isAboutAccount, type SentEvent, textOf } from './notification-texts.js';
import type { Contact } from './schemas/contact.schema.js';

interface AccountMail {
  data?: Record<string, string>;
  /** Where it isn't the contact's address, whatever that is by then. */
  to?: string;
  /** Encrypted; what the mail's link carries. */
  token?: string;
}

/** Decides where a notification goes: the inbox, and the channels the user wants it by. */
@Injectable()
export class NotifierService {
  constructor(
    private readonly contacts: ContactsService,
    private readonly inbox: InboxService,
    private readonly deliveries: DeliveriesService,
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
    if (!wants(contact, 'email', event)) return;
    const receiver = mailDomain(contact?.email);
    if (notification && contact?.preferences?.digest === 'daily' && !isAboutAccount(event)) {
      await this.deliveries.addToDigest(notification, contact, receiver, session);
    } else {
      await this.deliveries.add([{ user, notification, channel: 'email', event, data, receiver }], session);
    }
  }

  /** A mail that is in no inbox. */
  async mail(
    userId: string,
    event: SentEvent,
    { data = {}, ...mail }: AccountMail,
    session: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, session)) return;
    const contact: Contact | null = mail.to ? null : await this.contacts.find(userId, session);
    const receiver = mailDomain(mail.to ?? contact?.email);
    const user = new Types.ObjectId(userId);
    await this.deliveries.add([{ user, channel: 'email', event, data, receiver, ...mail }], session);
  }
}

function mailDomain(address = ''): string {
  return address.slice(address.lastIndexOf('@') + 1).toLowerCase();
}
