import { Inject, Injectable } from '@nestjs/common';
import { EVENT_CONSUMERS, type EventConsumer, subscriptionsOf } from './event-consumer.js';
import { EVENT_TYPES } from './event-types.js';
import type { OutboxEntry } from './outbox.schema.js';

/** Which consumers have a handler for which type of event, in this release; also those that other processes serve. */
@Injectable()
export class EventSubscriptions {
  private readonly byType = new Map<string, EventConsumer[]>();

  constructor(
    @Inject(EVENT_CONSUMERS) consumers: EventConsumer[],
    @Inject(EVENT_TYPES) private readonly types: string[],
  ) {
    for (const consumer of consumers) {
      for (const type of new Set(subscriptionsOf(consumer).map((subscription) => subscription.type))) {
        this.byType.set(type, [...this.consumersOf(type), consumer]);
      }
    }
  }

  /** The consumers of a type; none is legitimate: a type may be published for what is outside the service. */
  consumersOf(type: string): EventConsumer[] {
    return this.byType.get(type) ?? [];
  }

  /** What is stored with an event: the names of the consumers that have to get it. */
  namesOf(type: string): string[] {
    return this.consumersOf(type).flatMap(({ name, brokerOnly }) => (brokerOnly ? [] : [name]));
  }

  /**
   * What this release doesn't know of an event that another release has stored: consumers of its type, or, where none are
   * named, its type.
   *
   * @returns undefined where it knows all
   */
  unknownOf({ event: { type }, consumers }: Pick<OutboxEntry, 'event' | 'consumers'>): string | undefined {
    if (!consumers) {
      const isKnown = this.types.includes(type) || this.consumersOf(type).length > 0;
      return isKnown ? undefined : `the type ${type}`;
    }
    const known = this.namesOf(type);
    const unknown = consumers.filter((name) => !known.includes(name));
    return unknown.length > 0 ? `${unknown.join(', ')} as consumers of ${type}` : undefined;
  }
}
