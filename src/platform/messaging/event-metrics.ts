import { Counter } from 'prom-client';
import * as auth from '../../contracts/auth.events.js';
import type { DomainEvent } from '../../contracts/event.js';
import * as tasks from '../../contracts/tasks.events.js';
import * as users from '../../contracts/users.events.js';

const happened = new Counter({
  name: 'domain_events_total',
  help: 'What has happened: events committed by this process, by type',
  labelNames: ['type'],
});
for (const exported of [auth, tasks, users].flatMap((contract) => Object.values<unknown>(contract))) {
  // From 0 on: a series that began with its first event would have grown by nothing.
  if (typeof exported === 'function' && 'type' in exported) happened.inc({ type: String(exported.type) }, 0);
}

/** To be called once they are committed. */
export function countEvents(events: DomainEvent[]): void {
  for (const { type } of events) happened.inc({ type });
}
