import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import { ContactsService } from './contacts.service.js';
import { EmailDeliveries } from './email/email-deliveries.js';
import { InboxService } from './inbox.service.js';
import { type SentEvent, textOf } from './notification-texts.js';

/** Decides where a notification goes: the inbox, and the channels the user wants it by. */
@Injectable()
export class NotifierService {
  constructor(
    private readonly contacts: ContactsService,
    private readonly inbox: InboxService,
    private readonly emails: EmailDeliveries,
  ) {}

  /** @param data what the text is made of, and what clients get with it */
  async notify(userId: string, event: SentEvent, data: Record<string, string>, session: ClientSession): Promise<void> {
    const user = new Types.ObjectId(userId);
    const preferences = (await this.contacts.find(user, session))?.preferences;
    const muted = preferences?.mutedEvents.includes(event) ?? false;
    const notification = muted ? null : await this.inbox.add({ user, event, data, ...textOf(event, data) }, session);
    // Mails about the account go out whatever the preferences say.
    const wanted = event.startsWith('account.') || (!muted && (preferences?.channels.email ?? true));
    if (wanted) await this.emails.add({ user, notification, event, data }, session);
  }
}
