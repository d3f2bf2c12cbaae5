import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import type { CloudEvent, DomainEvent } from '../../contracts/event.js';
import { databaseDate } from '../database/database-clock.js';
import { Transactions } from '../database/transactions.js';
import { EventBus } from './event-bus.js';
import { countEvents, startCounting } from './event-metrics.js';
import { EventSubscriptions } from './event-subscriptions.js';
import { EVENT_TYPES } from './event-types.js';
import { FairOrder } from './fair-order.js';
import { OutboxEntry } from './outbox.schema.js';
import { OutboxRelay } from './outbox-relay.js';

/** Where modules leave their events: in the same transaction as the change they tell of, so both happen or neither. */
@Injectable()
export class Outbox {
  private readonly order = new FairOrder();

  constructor(
    @InjectModel(OutboxEntry.name) private readonly entries: Model<OutboxEntry>,
    private readonly transactions: Transactions,
    private readonly relay: OutboxRelay,
    private readonly bus: EventBus,
    private readonly subscriptions: EventSubscriptions,
    @Inject(EVENT_TYPES) types: string[],
  ) {
    startCounting(types);
  }

  /**
   * An event that reaches nobody is counted, and not stored.
   *
   * @param tx the transaction that makes the events true
   */
  async add(events: DomainEvent[], tx: ClientSession): Promise<void> {
    const entries = events.flatMap((event) => this.entryOf(event));
    if (entries.length > 0) await this.entries.insertMany(entries, { session: tx });
    this.transactions.afterCommit(() => {
      countEvents(events);
      if (entries.length > 0) this.relay.nudge();
    }, tx);
  }

  private entryOf(event: DomainEvent): Pick<OutboxEntry, 'event' | 'consumers' | 'availableAt'>[] {
    const consumers = this.subscriptions.namesOf(event.type);
    if (consumers.length === 0 && !this.bus.reachesOthers) return [];
    return [{ event: toCloudEvent(event), consumers, availableAt: this.order.next(event) }];
  }
}

function toCloudEvent(event: DomainEvent): CloudEvent {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: `/${event.type.split('.')[0]}`,
    type: event.type,
    subject: event.subject,
    time: databaseDate().toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
  };
}
