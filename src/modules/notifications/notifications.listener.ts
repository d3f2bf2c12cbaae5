import { Injectable } from '@nestjs/common';
import { type ClientSession, Types } from 'mongoose';
import {
  AccountRegisteredEvent,
  EmailVerificationRequestedEvent,
  EmailVerifiedEvent,
  SessionStartedEvent,
} from '../../contracts/auth.events.js';
import { TaskCompletedEvent } from '../../contracts/tasks.events.js';
import { PreferencesChangedEvent, ProfileChangedEvent } from '../../contracts/users.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { ContactsService } from './contacts.service.js';
import { EmailDeliveries } from './email/email-deliveries.js';
import { NotifierService } from './notifier.service.js';

@Injectable()
export class NotificationsListener {
  constructor(
    private readonly contacts: ContactsService,
    private readonly notifier: NotifierService,
    private readonly emails: EmailDeliveries,
  ) {}

  @EventHandler(AccountRegisteredEvent)
  async onAccountRegistered({ subject, data }: EventOf<AccountRegisteredEvent>, session: ClientSession): Promise<void> {
    await this.contacts.register(subject, data, session);
  }

  @EventHandler(EmailVerifiedEvent)
  async onEmailVerified({ subject, data }: EventOf<EmailVerifiedEvent>, session: ClientSession): Promise<void> {
    await this.contacts.verifyEmail(subject, data.email, session);
  }

  @EventHandler(ProfileChangedEvent)
  async onProfileChanged({ subject, data }: EventOf<ProfileChangedEvent>, session: ClientSession): Promise<void> {
    await this.contacts.copyName(subject, data.name, data.version, session);
  }

  @EventHandler(PreferencesChangedEvent)
  async onPreferencesChanged(
    { subject, data }: EventOf<PreferencesChangedEvent>,
    session: ClientSession,
  ): Promise<void> {
    await this.contacts.copyPreferences(subject, data.preferences, data.version, session);
  }

  @EventHandler(EmailVerificationRequestedEvent)
  async onEmailVerificationRequested(
    { subject, data: { email, token } }: EventOf<EmailVerificationRequestedEvent>,
    session: ClientSession,
  ): Promise<void> {
    const user = new Types.ObjectId(subject);
    const event = 'account.email-verification';
    await this.emails.add({ user, notification: null, event, data: {}, to: email, token }, session);
  }

  @EventHandler(SessionStartedEvent)
  async onSessionStarted({ subject, data }: EventOf<SessionStartedEvent>, session: ClientSession): Promise<void> {
    await this.notifier.notify(subject, 'account.new-login', data, session);
  }

  @EventHandler(TaskCompletedEvent)
  async onTaskCompleted({ subject, data }: EventOf<TaskCompletedEvent>, session: ClientSession): Promise<void> {
    const { userId, title, completedAt } = data;
    await this.notifier.notify(userId, 'task.completed', { taskId: subject, title, completedAt }, session);
  }
}
