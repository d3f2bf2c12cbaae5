import { Inject, Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { EVENT_CONSUMERS, type EventConsumer } from '../event-consumer.js';
import { EventSubscriptions } from '../event-subscriptions.js';
import { CheckChannel } from './check-channel.js';
import { ensureTopology, missingQueues, REPAIR_DELAY_MS } from './ensure-topology.js';
import { RabbitMqConnections } from './rabbitmq-connections.js';
import { queueOf, queuesOf } from './topology.js';

/** How often everything is declared again, in milliseconds: an upper bound for how long a lost binding goes unnoticed. */
const DECLARE_EVERY_MS = 15_000;
/**
 * A queue that exists at two moments at most this far apart, in milliseconds, has existed in between. Shorter than the delay
 * of the repair, because timers and clocks of machines differ a little.
 */
const PROOF_MS = REPAIR_DELAY_MS - 500;
/** A queue that was last seen longer ago, in milliseconds, is checked before a message is sent. */
const RECENT_MS = 1_000;
/** How often a message is sent at most while the broker is too slow for a proof. */
const MAX_SENDINGS = 3;

/** Finds queues, exchanges and bindings that were deleted while the service runs, and declares them again. */
@Injectable()
export class TopologyWatch implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('RabbitMQ');
  private readonly channel: CheckChannel;
  private timer?: NodeJS.Timeout;
  private repairing?: Promise<void>;
  /** When the last check that found a queue was sent, by queue; in milliseconds of the monotonic clock. */
  private readonly seenAt = new Map<string, number>();
  /** The queues that the next check asks for, and its result. */
  private nextCheck?: { queues: Set<string>; missing: Promise<string[]> };
  /** Checks run one after the other, on one channel. */
  private lastCheck: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly connections: RabbitMqConnections,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
    private readonly subscriptions: EventSubscriptions,
  ) {
    this.channel = new CheckChannel(connections.consuming);
  }

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
   * Sends a message that has to reach queues. All of them exist before and after, and the time between is too short for one
   * to be deleted and declared again. Where it isn't, the message is sent again: its consumers take it in once in effect.
   *
   * @param send sends the message to the exchange and waits until the broker has confirmed it
   * @throws Error where a queue was missing, or the broker doesn't answer
   */
  async reach(queues: string[], send: () => Promise<void>): Promise<void> {
    if (queues.length === 0) return await send();
    for (let sendings = 1; sendings <= MAX_SENDINGS; sendings++) {
      if (this.sinceSeen(queues) > RECENT_MS) await this.verify(queues);
      const existedAt = performance.now() - this.sinceSeen(queues);
      await send();
      await this.verify(queues);
      if (performance.now() - existedAt <= PROOF_MS) return;
    }
    this.logger.warn({ queues }, 'RabbitMQ is slow: an event may have missed a queue that was deleted meanwhile');
  }

  /** Declares again what is missing, also what can't be checked: bindings. Calls share one repair. */
  async repair(): Promise<void> {
    this.repairing ??= ensureTopology(this.connections.consuming, this.consumers).finally(() => {
      this.repairing = undefined;
    });
    await this.repairing;
  }

  /** @throws Error where a queue was missing at a moment after this call, or the broker doesn't answer */
  private async verify(queues: string[]): Promise<void> {
    const missing = await this.findMissing(queues);
    if (missing.length === 0) return;
    await this.repair();
    throw new Error(`missing in RabbitMQ: ${missing.join(', ')}`);
  }

  private async inspect(): Promise<void> {
    if (!this.connections.consuming.isConnected) return;
    try {
      await this.repair();
    } catch (error) {
      this.logger.warn({ err: error }, 'queues and bindings could not be checked');
    }
  }

  private sinceSeen(queues: string[]): number {
    return performance.now() - Math.min(...queues.map((queue) => this.seenAt.get(queue) ?? -Infinity));
  }

  /** Calls that come while a check runs share the next one. */
  private async findMissing(queues: string[]): Promise<string[]> {
    if (!this.nextCheck) {
      const asked = new Set<string>();
      const missing = this.lastCheck.then(() => {
        this.nextCheck = undefined;
        return this.check([...asked]);
      });
      this.lastCheck = missing.catch(() => undefined);
      this.nextCheck = { queues: asked, missing };
    }
    for (const queue of queues) this.nextCheck.queues.add(queue);
    // Another call's queues may be missing, too; those are that call's.
    const missing = await this.nextCheck.missing;
    return missing.filter((queue) => queues.includes(queue));
  }

  private async check(queues: string[]): Promise<string[]> {
    const missing: string[] = [];
    for (const queue of queues) {
      const askedAt = performance.now();
      if (await this.channel.exists((channel) => channel.checkQueue(queue))) this.seenAt.set(queue, askedAt);
      else missing.push(queue);
    }
    return missing;
  }
}
