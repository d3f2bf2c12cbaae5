import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import {
  AccountRegisteredEvent,
  ApiKeyCreatedEvent,
  ApiKeyExpiringEvent,
  EmailChangedEvent,
  EmailChangeRequestedEvent,
  EmailVerificationRequestedEvent,
  EmailVerifiedEvent,
  MfaChangedEvent,
  PasswordChangedEvent,
  PasswordResetRequestedEvent,
  SessionStartedEvent,
} from '../../contracts/auth.events.js';
import { TaskCompletedEvent, TaskOverdueEvent, TaskReminderDueEvent } from '../../contracts/tasks.events.js';
import {
  AccountCommandEvent,
  PhoneVerificationRequestedEvent,
  PreferencesChangedEvent,
  ProfileChangedEvent,
  UserDeletedEvent,
} from '../../contracts/users.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { AccountDataService } from './account-data.service.js';
import { ContactsService } from './contacts.service.js';
import { DeliveriesService } from './deliveries/deliveries.service.js';
import { NotifierService } from './notifier.service.js';
import { PushSubscriptionsService } from './push/push-subscriptions.service.js';
import { RemainingSetup } from './remaining-setup.js';

@Injectable()
export class NotificationsListener {
  constructor(
    private readonly contacts: ContactsService,
    private readonly notifier: NotifierService,
    private readonly accountData: AccountDataService,
    private readonly subscriptions: PushSubscriptionsService,
    private readonly deliveries: DeliveriesService,
    private readonly remaining: RemainingSetup,
  ) {}

  @EventHandler(AccountRegisteredEvent)
  async onAccountRegistered({ subject, data }: EventOf<AccountRegisteredEvent>, tx: ClientSession): Promise<void> {
    await this.contacts.register(subject, data, tx);
  }

  @EventHandler(EmailVerifiedEvent)
  async onEmailVerified({ subject, data }: EventOf<EmailVerifiedEvent>, tx: ClientSession): Promise<void> {
    await this.contacts.copyEmail(subject, data.email, data.version, tx);
  }

  @EventHandler(EmailChangedEvent)
  async onEmailChanged({ subject, data }: EventOf<EmailChangedEvent>, tx: ClientSession): Promise<void> {
    await this.contacts.copyEmail(subject, data.email, data.version, tx);
  }

  @EventHandler(ProfileChangedEvent)
  async onProfileChanged({ subject, data }: EventOf<ProfileChangedEvent>, tx: ClientSession): Promise<void> {
    await this.contacts.copyProfile(subject, data, tx);
    await this.deliveries.reconsider(subject, tx);
  }

  @EventHandler(PreferencesChangedEvent)
  async onPreferencesChanged({ subject, data }: EventOf<PreferencesChangedEvent>, tx: ClientSession): Promise<void> {
    await this.contacts.copyPreferences(subject, data.preferences, data.version, tx);
    await this.deliveries.reconsider(subject, tx);
  }

  /** Nothing is sent to a suspended user, and nothing of what was missed afterwards. */
  @EventHandler(AccountCommandEvent)
  async onAccountCommand({ subject, data }: EventOf<AccountCommandEvent>, tx: ClientSession): Promise<void> {
    if (data.command !== 'suspend' && data.command !== 'unsuspend') return;
    await this.contacts.copySuspension(subject, data.account, tx);
    if (data.command === 'suspend') await this.deliveries.makeDue(subject, tx);
  }

  @EventHandler(UserDeletedEvent)
  async onUserDeleted({ subject }: EventOf<UserDeletedEvent>, tx: ClientSession): Promise<void> {
    await this.accountData.erase(subject, tx);
  }

  @EventHandler(EmailVerificationRequestedEvent)
  async onEmailVerificationRequested(
    { subject, data: { email: to, token, movesAccount } }: EventOf<EmailVerificationRequestedEvent>,
    tx: ClientSession,
  ): Promise<void> {
    const data = { ...(movesAccount && { movesAccount: 'true' }) };
    await this.notifier.sendAlone(subject, 'account.email-verification', { channel: 'email', to, token, data }, tx);
  }

  @EventHandler(PasswordResetRequestedEvent)
  async onPasswordResetRequested(
    { subject, data: { email: to, token } }: EventOf<PasswordResetRequestedEvent>,
    tx: ClientSession,
  ): Promise<void> {
    await this.notifier.sendAlone(subject, 'account.password-reset', { channel: 'email', to, token }, tx);
  }

  /** Goes to the contact's address, which is still the old one, and only if it is verified. */
  @EventHandler(EmailChangeRequestedEvent)
  async onEmailChangeRequested(
    { subject, data: { newEmail } }: EventOf<EmailChangeRequestedEvent>,
    tx: ClientSession,
  ): Promise<void> {
    await this.notifier.sendAlone(subject, 'account.email-change', { channel: 'email', data: { newEmail } }, tx);
  }

  @EventHandler(PhoneVerificationRequestedEvent)
  async onPhoneVerificationRequested(
    { subject, data: { phone: to, code: token, expiresAt } }: EventOf<PhoneVerificationRequestedEvent>,
    tx: ClientSession,
  ): Promise<void> {
    await this.notifier.sendPhoneCode(subject, { to, token, expiresAt: new Date(expiresAt) }, tx);
  }

  @EventHandler(SessionStartedEvent)
  async onSessionStarted({ subject, data }: EventOf<SessionStartedEvent>, tx: ClientSession): Promise<void> {
    await this.notifier.notify(subject, 'account.new-login', data, tx);
  }

  @EventHandler(PasswordChangedEvent)
  async onPasswordChanged({ subject, data }: EventOf<PasswordChangedEvent>, tx: ClientSession): Promise<void> {
    const { changedAt, reset, addressWasVerified, mfa } = data;
    if (reset) await this.contacts.assertVerified(subject, tx);
    if (reset && !addressWasVerified) await this.subscriptions.removeAll(subject, tx);
    const remaining = reset ? await this.remaining.find(subject, mfa, tx) : {};
    await this.notifier.notify(subject, 'account.password-changed', { changedAt, ...remaining }, tx);
  }

  @EventHandler(MfaChangedEvent)
  async onMfaChanged({ subject, data }: EventOf<MfaChangedEvent>, tx: ClientSession): Promise<void> {
    const { enabled, changedAt } = data;
    await this.notifier.notify(subject, 'account.mfa-changed', { enabled: String(enabled), changedAt }, tx);
  }

  @EventHandler(ApiKeyCreatedEvent)
  async onApiKeyCreated({ subject, data }: EventOf<ApiKeyCreatedEvent>, tx: ClientSession): Promise<void> {
    await this.notifier.notify(subject, 'account.api-key-created', data, tx);
  }

  @EventHandler(ApiKeyExpiringEvent)
  async onApiKeyExpiring({ subject, data }: EventOf<ApiKeyExpiringEvent>, tx: ClientSession): Promise<void> {
    await this.notifier.notify(subject, 'account.api-key-created', data, tx);
  }

  @EventHandler(TaskCompletedEvent)
  async onTaskCompleted({ subject, data }: EventOf<TaskCompletedEvent>, tx: ClientSession): Promise<void> {
    const { userId, title, completedAt } = data;
    await this.notifier.notify(userId, 'task.completed', { taskId: subject, title, completedAt }, tx);
  }

  @EventHandler(TaskReminderDueEvent)
  async onTaskReminderDue({ subject, data }: EventOf<TaskReminderDueEvent>, tx: ClientSession): Promise<void> {
    const { userId, title, remindAt, dueDate } = data;
    const details = { taskId: subject, title, remindAt, ...(dueDate && { dueDate }) };
    await this.notifier.notify(userId, 'task.reminder', details, tx);
  }

  @EventHandler(TaskOverdueEvent)
  async onTaskOverdue({ subject, data }: EventOf<TaskOverdueEvent>, tx: ClientSession): Promise<void> {
    const { userId, title, dueDate } = data;
    await this.notifier.notify(userId, 'task.overdue', { taskId: subject, title, dueDate }, tx);
  }
}
