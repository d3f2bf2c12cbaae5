import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { AccountRegisteredEvent, EmailVerifiedEvent } from '../../contracts/auth.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { UsersService } from './users.service.js';

@Injectable()
export class UsersListener {
  constructor(private readonly users: UsersService) {}

  @EventHandler(AccountRegisteredEvent)
  async onAccountRegistered(event: EventOf<AccountRegisteredEvent>, session: ClientSession): Promise<void> {
    await this.users.createProfile(event.subject, event.data, session);
  }

  @EventHandler(EmailVerifiedEvent)
  async onEmailVerified({ subject, data }: EventOf<EmailVerifiedEvent>, session: ClientSession): Promise<void> {
    await this.users.markEmailVerified(subject, data.email, session);
  }
}
