import { Inject, Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { EVENT_CONSUMERS, type EventConsumer } from './event-consumer.js';
import { OutboxEntry } from './outbox.schema.js';
import { RabbitMqConnection } from './rabbitmq/rabbitmq-connection.js';
import { replayDeadQueue } from './rabbitmq/replay-dead-queue.js';

/** The name under which parked events of the outbox are asked for. */
const OUTBOX = 'outbox';

/** Events that were given up, for an operator who has mended the cause. */
@Injectable()
export class DeadLetters {
  constructor(
    @InjectModel(OutboxEntry.name) private readonly entries: Model<OutboxEntry>,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
    @Inject(RabbitMqConnection) private readonly connection: RabbitMqConnection | null,
  ) {}

  /** What `replay` may be asked for. */
  get queues(): string[] {
    return [OUTBOX, ...(this.connection ? this.consumers.map(({ name }) => name) : [])];
  }

  /**
   * Has everything that was given up tried again, from the start; handlers that took an event in are passed over. It may
   * be interrupted at any point and loses nothing.
   *
   * @returns how many events of the queue that was
   * @throws DependencyUnavailableError where RabbitMQ can't be reached
   */
  async replay(queue: string): Promise<number> {
    if (queue !== OUTBOX) return await replayDeadQueue(this.connection as RabbitMqConnection, queue, this.consumers);
    const change = { $set: { state: 'ready', attempts: 0, availableAt: new Date() } };
    return (await this.entries.updateMany({ state: 'parked' }, change)).modifiedCount;
  }
}
