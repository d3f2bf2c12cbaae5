import type { CloudEvent } from '../../contracts/event.js';

/** How often the relay hands an event to the bus before it parks it, and the longest pause between two tries (ms). */
export interface PublishingPatience {
  maxAttempts: number;
  maxBackoffMs: number;
}

/** Brings events from the outbox to the listeners; which one there is, `EVENT_BUS` says. */
export abstract class EventBus {
  abstract readonly patience: PublishingPatience;

  /** Whether what is published may reach others than the consumers of this service. */
  abstract readonly reachesOthers: boolean;

  /** Whether events can be published at the moment; until then they stay in the outbox, and that counts as no attempt. */
  abstract readonly isAvailable: boolean;

  /** Resolves once the event can't be lost any more without the outbox. */
  abstract publish(event: CloudEvent): Promise<void>;
}
