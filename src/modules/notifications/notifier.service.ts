import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import type { NotificationEvent } from '../../contracts/notification-events.js';
import { PersonalData } from '../../platform/personal-data/personal-data.js';
import { ContactsService } from './contacts.service.js';
import { EmailDeliveries } from './email/email-deliveries.js';
import { InboxService } from './inbox.service.js';
import { languageOf, type SentEvent, textOf } from './notification-texts.js';

/** Decides where a notification goes: the inbox, and the channels the user wants it by. */
@Injectable()
export class NotifierService {
  constructor(
    private readonly contacts: ContactsService,
    private readonly inbox: InboxService,
    private readonly emails: EmailDeliveries,
    private readonly personalData: PersonalData,
  ) {}

  /** @param data what the text is made of, and what clients get with it */
  async notify(
    userId: string,
    event: SentEvent & NotificationEvent,
    data: Record<string, string>,
    session: ClientSession,
  ): Promise<void> {
    if (await this.personalData.isErased(userId, session)) return;
    const user = new Types.ObjectId(userId);
    const contact = await this.contacts.find(user, session);
    const muted = contact?.preferences?.mutedEvents.includes(event) ?? false;
    const text = textOf(event, data, languageOf(contact?.locale));
    const notification = muted ? null : await this.inbox.add({ user, event, data, ...text }, session);
    // Mails about the account go out whatever the preferences say.
    const wanted = event.startsWith('account.') || (!muted && (contact?.preferences?.channels.email ?? true));
    if (wanted) await this.emails.add({ user, notification, event, data }, session);
  }
}
