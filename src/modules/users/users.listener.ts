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
  async onAccountRegistered({ subject, data }: EventOf<AccountRegisteredEvent>, session: ClientSession): Promise<void> {
    await this.lifecycle.create(subject, data, session);
  }

  @EventHandler(EmailVerifiedEvent)
  async onEmailVerified({ subject, data }: EventOf<EmailVerifiedEvent>, session: ClientSession): Promise<void> {
    await this.lifecycle.copyEmail(subject, data.email, data.version, session);
  }

  @EventHandler(EmailChangedEvent)
  async onEmailChanged({ subject, data }: EventOf<EmailChangedEvent>, session: ClientSession): Promise<void> {
    await this.lifecycle.copyEmail(subject, data.email, data.version, session);
  }

  @EventHandler(PasswordChangedEvent)
  async onPasswordChanged({ subject, data }: EventOf<PasswordChangedEvent>, session: ClientSession): Promise<void> {
    if (data.reset && !data.addressWasVerified) await this.phoneNumbers.remove(subject, session);
  }

  @EventHandler(AccountDeletedEvent)
  async onAccountDeleted({ subject }: EventOf<AccountDeletedEvent>, session: ClientSession): Promise<void> {
    await this.lifecycle.erase(subject, { actorId: subject }, session);
  }
}
