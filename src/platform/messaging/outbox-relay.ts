import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { WorkQueue } from '../work/work-queue.js';
import { UnknownWork } from '../work/outcomes.js';
import { EventBus } from './event-bus.js';
import { EventSubscriptions } from './event-subscriptions.js';
import { OutboxEntry } from './outbox.schema.js';

const CONCURRENCY = 8;

/** Takes events out of the outbox and publishes them on the bus. */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly queue: WorkQueue<OutboxEntry>;

  constructor(
    @InjectModel(OutboxEntry.name) entries: Model<OutboxEntry>,
    private readonly bus: EventBus,
    private readonly subscriptions: EventSubscriptions,
  ) {
    this.queue = new WorkQueue(entries, (entry) => this.publish(entry), {
      name: 'outbox',
      concurrency: CONCURRENCY,
      ...bus.patience,
      whenDone: 'delete',
      claimable: () => (bus.isAvailable ? {} : null),
    });
  }

  onApplicationBootstrap(): void {
    this.queue.start();
  }

  /** Called after each commit that added events, so that delivery takes milliseconds. */
  nudge(): void {
    this.queue.nudge();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.queue.stop();
  }

  /** @throws UnknownWork once this release has published to those that it knows, where there is more to an event */
  private async publish(entry: OutboxEntry): Promise<void> {
    await this.bus.publish(entry.event);
    const unknown = this.subscriptions.unknownOf(entry);
    if (unknown !== undefined) throw new UnknownWork(`this release doesn't know ${unknown}`);
  }
}
