import { Injectable } from '@nestjs/common';
import type { ClientSession } from 'mongoose';
import { ProfileChangedEvent } from '../../contracts/users.events.js';
import { EventHandler, type EventOf } from '../../platform/messaging/event-handler.decorator.js';
import { TaskStatsService } from './task-stats.service.js';

@Injectable()
export class TasksListener {
  constructor(private readonly stats: TaskStatsService) {}

  @EventHandler(ProfileChangedEvent)
  async onProfileChanged({ subject, data }: EventOf<ProfileChangedEvent>, session: ClientSession): Promise<void> {
    await this.stats.copyTimezone(subject, data.timezone, data.version, session);
  }
}
