import { Injectable, Logger } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { isValidObjectId, type Model } from 'mongoose';
import { DeadLetters } from '../messaging/dead-letters.js';
import { RecurringJob } from '../work/recurring-job.decorator.js';
import { Tombstone } from './tombstone.schema.js';

/** How long events of erased people may still lie among those that were given up, in milliseconds. */
const EVERY_MS = 10 * 60_000;

/** Erases people's data from events that were given up: parked in the outbox, or dead letters of RabbitMQ. */
@Injectable()
export class ErasedEvents {
  private readonly logger = new Logger(ErasedEvents.name);

  constructor(
    @InjectModel(Tombstone.name) private readonly tombstones: Model<Tombstone>,
    private readonly deadLetters: DeadLetters,
  ) {}

  /** Removes them. Where nobody has been erased, it looks at nothing. */
  @RecurringJob({ name: 'remove-erased-events', everyMs: EVERY_MS })
  async remove(): Promise<void> {
    if (!(await this.tombstones.exists({}))) return;
    const removed = await this.deadLetters.removeErased(
      async (userId) => isValidObjectId(userId) && (await this.tombstones.exists({ _id: userId })) !== null,
    );
    if (removed > 0) this.logger.log(`removed ${removed} events that were given up, of people who have been erased`);
  }
}
