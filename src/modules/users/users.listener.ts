import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import {
  AccountDeletedEvent,
  AccountRegisteredEvent,
  EmailChangedEvent,
  EmailVerifiedEvent,
  PasswordChangedEvent,
} from '../../contracts/auth.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { PhoneNumbersService } from './phone/phone-numbers.service.js';
import { UserLifecycleService } from './user-lifecycle.service.js';

@Injectable()
export class UsersListener {
  constructor(
    private readonly lifecycle: UserLifecycleService,
    private readonly phoneNumbers: PhoneNumbersService,
  ) {}

  @EventHandler(AccountRegisteredEvent)
  async onAccountRegistered({ subject, data }: EventOf<AccountRegisteredEvent>, tx: ClientSession): Promise<void> {
    await this.lifecycle.create(subject, data, tx);
  }

  @EventHandler(EmailVerifiedEvent)
  async onEmailVerified({ subject, data }: EventOf<EmailVerifiedEvent>, tx: ClientSession): Promise<void> {
    await this.lifecycle.copyEmail(subject, data.email, data.version, tx);
  }

  @EventHandler(EmailChangedEvent)
  async onEmailChanged({ subject, data }: EventOf<EmailChangedEvent>, tx: ClientSession): Promise<void> {
    await this.lifecycle.copyEmail(subject, data.email, data.version, tx);
  }

  @EventHandler(PasswordChangedEvent)
  async onPasswordChanged({ subject, data }: EventOf<PasswordChangedEvent>, tx: ClientSession): Promise<void> {
    if (data.reset && !data.addressWasVerified) await this.phoneNumbers.remove(subject, tx);
  }

  @EventHandler(AccountDeletedEvent)
  async onAccountDeleted({ subject }: EventOf<AccountDeletedEvent>, tx: ClientSession): Promise<void> {
    await this.lifecycle.erase(subject, { actorId: subject }, tx);
  }
}
