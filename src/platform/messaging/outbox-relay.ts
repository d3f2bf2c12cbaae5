import { Injectable } from '@nestjs/common';
import { UnknownWork } from '../work/outcomes.js';
import { WorkHandler } from '../work/work-handler.decorator.js';
import { WorkQueues } from '../work/work-queues.js';
import { EventBus } from './event-bus.js';
import { EventSubscriptions } from './event-subscriptions.js';
import { OutboxEntry } from './outbox.schema.js';

const QUEUE = 'outbox';
const CONCURRENCY = 8;

/** Takes events out of the outbox and publishes them on the bus. */
@Injectable()
export class OutboxRelay {
  constructor(
    private readonly bus: EventBus,
    private readonly subscriptions: EventSubscriptions,
    private readonly work: WorkQueues,
  ) {}

  /** Called after each commit that added events, so that delivery takes milliseconds. */
  nudge(): void {
    this.work.nudge(QUEUE);
  }

  /** @throws UnknownWork once this release has published to those that it knows, where there is more to an event */
  @WorkHandler(({ bus }: OutboxRelay) => ({
    queue: QUEUE,
    items: OutboxEntry,
    concurrency: CONCURRENCY,
    ...bus.retryPolicy,
    whenDone: 'delete',
    claimable: () => (bus.isAvailable ? {} : null),
  }))
  async publish(entry: OutboxEntry): Promise<void> {
    await this.bus.publish(entry.event);
    const unknown = this.subscriptions.unknownOf(entry);
    if (unknown !== undefined) throw new UnknownWork(`this release doesn't know ${unknown}`);
  }
}
