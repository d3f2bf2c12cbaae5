import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ProfileChangedEvent, UserDeletedEvent } from '../../contracts/users.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { TaskOwnersService } from './task-owners.service.js';

@Injectable()
export class TasksListener {
  constructor(private readonly owners: TaskOwnersService) {}

  @EventHandler(ProfileChangedEvent)
  async onProfileChanged({ subject, data }: EventOf<ProfileChangedEvent>, tx: ClientSession): Promise<void> {
    await this.owners.copyTimezone(subject, data.timezone, data.version, tx);
  }

  @EventHandler(UserDeletedEvent)
  async onUserDeleted({ subject }: EventOf<UserDeletedEvent>, tx: ClientSession): Promise<void> {
    await this.owners.erase(subject, tx);
  }
}
