import { Injectable } from '@nestjs/common';
import type { CloudEvent } from '../../contracts/event.js';
import { EventBus, type PublishingRetryPolicy } from './event-bus.js';
import { EventDispatcher } from './event-dispatcher.js';

/** All modules are in this process: publishing an event is having all of its handlers take it in. */
@Injectable()
export class InProcessBus extends EventBus {
  /** About three hours of trying: what fails then fails because of the event or its handlers. */
  readonly retryPolicy: PublishingRetryPolicy = { maxAttempts: 20, maxBackoffMs: 10 * 60_000 };

  readonly reachesOthers = false;
  readonly isAvailable = true;

  constructor(private readonly dispatcher: EventDispatcher) {
    super();
  }

  async publish(event: CloudEvent): Promise<void> {
    await this.dispatcher.dispatch(event);
  }
}
