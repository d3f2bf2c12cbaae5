import { Counter } from 'prom-client';
import type { DomainEvent } from '../../contracts/event.js';
import { EVENT_TYPES } from './event-types.js';

const happened = new Counter({
  name: 'domain_events_total',
  help: 'What has happened: events committed by this process, by type',
  labelNames: ['type'],
});
// From 0 on: a series that began with its first event would have grown by nothing.
for (const type of EVENT_TYPES) happened.inc({ type }, 0);

/** To be called once they are committed. */
export function countEvents(events: DomainEvent[]): void {
  for (const { type } of events) happened.inc({ type });
}
