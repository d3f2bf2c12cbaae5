import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ProfileChangedEvent } from '../../contracts/users.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { AuthService } from './auth.service.js';

@Injectable()
export class AuthListener {
  constructor(private readonly auth: AuthService) {}

  @EventHandler(ProfileChangedEvent)
  async onProfileChanged({ subject, data }: EventOf<ProfileChangedEvent>, session: ClientSession): Promise<void> {
    await this.auth.copyProfile(subject, data.name, data.version, session);
  }
}
