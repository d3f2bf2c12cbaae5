import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { WorkQueue } from '../work/work-queue.js';
import { EventDispatcher } from './event-dispatcher.js';
import { OutboxEntry } from './outbox.schema.js';

const CONCURRENCY = 8;
/** With the queue's backoff that is about three hours of trying. */
const MAX_ATTEMPTS = 20;

/** Takes events out of the outbox and publishes them; in one process that means calling the handlers. */
@Injectable()
export class OutboxRelay implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly queue: WorkQueue<OutboxEntry>;

  constructor(@InjectModel(OutboxEntry.name) entries: Model<OutboxEntry>, dispatcher: EventDispatcher) {
    this.queue = new WorkQueue(entries, ({ event }) => dispatcher.dispatch(event), {
      name: 'outbox',
      concurrency: CONCURRENCY,
      maxAttempts: MAX_ATTEMPTS,
      whenDone: 'delete',
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
}
