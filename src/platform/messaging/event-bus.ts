import type { CloudEvent } from '../../contracts/event.js';

/** How often the relay hands an event to the bus before it parks it, and the longest pause between two tries (ms). */
export interface PublishingRetryPolicy {
  maxAttempts: number;
  maxBackoffMs: number;
}

/** Delivers events from the outbox to the listeners; `EVENT_BUS` chooses the implementation. */
export abstract class EventBus {
  abstract readonly retryPolicy: PublishingRetryPolicy;

  /** Whether what is published may reach others than the consumers of this service. */
  abstract readonly reachesOthers: boolean;

  /** Whether events can be published at the moment; until then they stay in the outbox, and that counts as no attempt. */
  abstract readonly isAvailable: boolean;

  /** Resolves once the bus guarantees the delivery, so that the outbox may forget the event. */
  abstract publish(event: CloudEvent): Promise<void>;
}
