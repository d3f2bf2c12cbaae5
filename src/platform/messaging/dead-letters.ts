import { Inject, Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { databaseDate } from '../database/database-clock.js';
import { EVENT_CONSUMERS, type EventConsumer } from './event-consumer.js';
import { type AboutSomebody, ownerOf } from './event-owner.js';
import { OutboxEntry } from './outbox.schema.js';
import { RabbitMqConnections } from './rabbitmq/rabbitmq-connections.js';
import { filterDeadQueue } from './rabbitmq/filter-dead-queue.js';
import { replayDeadQueue } from './rabbitmq/replay-dead-queue.js';

/** The name under which parked events of the outbox are asked for. */
const OUTBOX = 'outbox';

/** Events that cause the erasure of a person; they contain only an id. */
const ERASING = new Set(['users.user-deleted.v1', 'auth.account-deleted.v1']);

/** Events that were given up. An operator replays them once the cause is fixed. */
@Injectable()
export class DeadLetters {
  constructor(
    @InjectModel(OutboxEntry.name) private readonly entries: Model<OutboxEntry>,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
    @Inject(RabbitMqConnections) private readonly connections: RabbitMqConnections | null,
  ) {}

  /** What `replay` may be asked for. */
  get queues(): string[] {
    return [OUTBOX, ...(this.connections ? this.consumers.map(({ name }) => name) : [])];
  }

  /**
   * Delivers all events of the queue again that were given up. Handlers that have processed an event are skipped. It may
   * be interrupted at any point without a loss.
   *
   * @returns how many events of the queue that was
   * @throws DependencyUnavailableError where RabbitMQ can't be reached
   */
  async replay(queue: string): Promise<number> {
    if (queue !== OUTBOX) {
      const { publishing } = this.connections as RabbitMqConnections;
      return await replayDeadQueue(publishing, queue, this.consumers);
    }
    const change = { $set: { state: 'ready', attempts: 0, timesLeft: 0, availableAt: databaseDate() } };
    return (await this.entries.updateMany({ state: 'parked' }, change)).modifiedCount;
  }

  /**
   * Removes given-up events about people who have been erased since: it isn't needed any more. Events that cause an
   * erasure stay, since a consumer may still have to process them.
   *
   * @param isErased whether a user has been erased
   * @returns how many events were removed
   */
  async removeErased(isErased: (userId: string) => Promise<boolean>): Promise<number> {
    const isObsolete = async (event: AboutSomebody) => !ERASING.has(event.type) && (await isErased(ownerOf(event)));
    let removed = 0;
    const parked = this.entries
      .find({ state: 'parked' }, { 'event.type': 1, 'event.subject': 1, 'event.data.userId': 1 })
      .lean<Pick<OutboxEntry, '_id' | 'event'>[]>();
    for await (const { _id, event } of parked.cursor()) {
      if (!(await isObsolete(event))) continue;
      removed += (await this.entries.deleteOne({ _id, state: 'parked' })).deletedCount;
    }
    if (!this.connections?.publishing.canPublish) return removed;
    for (const { name } of this.consumers.filter(({ served }) => served)) {
      removed += await filterDeadQueue(this.connections.publishing, name, isObsolete);
    }
    return removed;
  }
}
