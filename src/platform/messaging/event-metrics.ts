import { Counter } from 'prom-client';
import type { DomainEvent } from '../../contracts/event.js';

const happened = new Counter({
  name: 'domain_events_total',
  help: 'What has happened: events committed by this process, by type',
  labelNames: ['type'],
});

/** Begins each series at 0: one that began with its first event would have grown by nothing. */
export function startCounting(types: readonly string[]): void {
  for (const type of types) happened.inc({ type }, 0);
}

/** To be called once they are committed. */
export function countEvents(events: DomainEvent[]): void {
  for (const { type } of events) happened.inc({ type });
}
