import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { Channel } from 'amqplib';
import { Counter } from 'prom-client';
import { within } from '../../overload/within.js';
import { EVENT_CONSUMERS, type EventConsumer } from '../event-consumer.js';
import { EventSubscriptions } from '../event-subscriptions.js';
import { RabbitMqConnections } from './rabbitmq-connections.js';
import { declareTopology, queueOf, queuesOf } from './topology.js';

/** How often everything is declared again, in milliseconds: an upper bound for how long a lost binding goes unnoticed. */
const DECLARE_EVERY_MS = 15_000;
/**
 * From finding a queue missing to declaring it, in milliseconds. A publisher that finds a queue present concludes that its
 * message reached it. So a queue doesn't come back at once: the others whose message missed it have this long to look. One
 * that looks later doesn't notice.
 */
const REPAIR_DELAY_MS = 1_000;
/** The longest that a broker may take to answer, in milliseconds. */
const TIMEOUT_MS = 5_000;
const NOT_FOUND = 404;

const missingQueues = new Counter({
  name: 'events_queues_missing_total',
  help: 'Queues of RabbitMQ that were found to be missing and were declared again, by queue',
  labelNames: ['queue'],
});

/** Finds queues, exchanges and bindings that were deleted while the service runs, and declares them again. */
@Injectable()
export class TopologyWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('RabbitMQ');
  private channel?: Channel;
  private timer?: NodeJS.Timeout;
  private repairing?: Promise<void>;
  /** The queues that the next check asks for, and its result. */
  private nextCheck?: { queues: Set<string>; missing: Promise<string[]> };
  /** Checks and declarations run one after the other, on one channel. */
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly connections: RabbitMqConnections,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
    private readonly subscriptions: EventSubscriptions,
  ) {}

  onApplicationBootstrap(): void {
    for (const queue of queuesOf(this.consumers)) missingQueues.inc({ queue }, 0);
    this.timer = setInterval(() => void this.inspect(), DECLARE_EVERY_MS).unref();
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  /** The queues that an event of this type has to reach: those of the consumers with a handler for it. May be none. */
  queuesFor(type: string): string[] {
    return this.subscriptions.consumersOf(type).map(({ name }) => queueOf(name));
  }

  /**
   * Makes sure that queues exist at a moment after this call; missing ones are declared again. Calls that come while a check
   * runs share the next one.
   *
   * @throws Error where one was missing, or the broker doesn't say
   */
  async verify(queues: string[]): Promise<void> {
    if (queues.length === 0) return;
    const missing = await this.findMissing(queues);
    if (missing.length === 0) return;
    await this.repair(missing);
    throw new Error(`missing in RabbitMQ: ${missing.join(', ')}`);
  }

  /**
   * Declares everything again, also what nobody can be asked about: exchanges and bindings. Calls share one repair.
   *
   * @param missing the queues that are known to be missing
   */
  async repair(missing: string[] = []): Promise<void> {
    this.repairing ??= this.declareAfterDelay(missing).finally(() => {
      this.repairing = undefined;
    });
    await this.repairing;
  }

  private async declareAfterDelay(missing: string[]): Promise<void> {
    this.logger.warn({ queues: missing }, 'queues or bindings are missing and will be declared again');
    await delay(REPAIR_DELAY_MS);
    for (const queue of await this.findMissing(queuesOf(this.consumers))) missingQueues.inc({ queue });
    await this.declare();
  }

  private async declare(): Promise<void> {
    await this.inTurn(() => this.onChannel((channel) => declareTopology(channel, this.consumers)));
  }

  private async inspect(): Promise<void> {
    if (!this.connections.consuming.isConnected) return;
    try {
      const missing = await this.findMissing(queuesOf(this.consumers));
      await (missing.length > 0 ? this.repair(missing) : this.declare());
    } catch (error) {
      this.logger.warn({ err: error }, 'queues and bindings could not be checked');
    }
  }

  private findMissing(queues: string[]): Promise<string[]> {
    if (!this.nextCheck) {
      const asked = new Set<string>();
      const missing = this.inTurn(() => {
        this.nextCheck = undefined;
        return this.check([...asked]);
      });
      this.nextCheck = { queues: asked, missing };
    }
    for (const queue of queues) this.nextCheck.queues.add(queue);
    // Another call's queues may be missing, too; those are that call's.
    return this.nextCheck.missing.then((missing) => missing.filter((queue) => queues.includes(queue)));
  }

  private async check(queues: string[]): Promise<string[]> {
    const missing: string[] = [];
    for (const queue of queues) {
      await this.onChannel((channel) => channel.checkQueue(queue)).catch((error: { code?: unknown }) => {
        if (error.code !== NOT_FOUND) throw error;
        missing.push(queue);
      });
    }
    return missing;
  }

  private inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.last.then(task);
    this.last = result.catch(() => undefined);
    return result;
  }

  /** The broker closes a channel on which a queue is asked for in vain; the next call opens another. */
  private async onChannel<T>(work: (channel: Channel) => Promise<T>): Promise<T> {
    const answer = this.ownChannel().then(work);
    const late = Symbol('late');
    const result = await within(answer, TIMEOUT_MS, late);
    if (result !== late) return result;
    this.channel?.close().catch(() => undefined);
    this.channel = undefined;
    throw new Error('RabbitMQ does not answer');
  }

  private async ownChannel(): Promise<Channel> {
    return (this.channel ??= await this.openChannel());
  }

  private async openChannel(): Promise<Channel> {
    const channel = await this.connections.consuming.openChannel();
    channel.on('error', () => undefined); // the call that caused it is rejected
    channel.on('close', () => {
      if (this.channel === channel) this.channel = undefined;
    });
    return channel;
  }
}
