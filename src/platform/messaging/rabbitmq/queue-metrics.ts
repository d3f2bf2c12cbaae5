import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Gauge } from 'prom-client';
import { within } from '../../overload/within.js';
import { EVENT_CONSUMERS, type EventConsumer } from '../event-consumer.js';
import { CheckChannel } from './check-channel.js';
import { RabbitMqConnections } from './rabbitmq-connections.js';
import { deadQueueOf, queueOf } from './topology.js';

/** A scrape that waited for a broker that hangs would fail, and with it every other metric. */
const PATIENCE_MS = 750;

/** How many messages wait for the consumers that this process serves, and how many are dead; asked when scraped. */
@Injectable()
export class QueueMetrics implements OnApplicationBootstrap {
  private readonly channel: CheckChannel;

  constructor(
    private readonly connections: RabbitMqConnections,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
  ) {
    this.channel = new CheckChannel(connections.consuming);
  }

  onApplicationBootstrap(): void {
    const depthOf = (queue: string) => this.depthOf(queue);
    const served = this.consumers.filter((consumer) => consumer.served);
    const { publishing } = this.connections;
    new Gauge({
      name: 'events_publishing_blocked',
      help: 'Whether an alarm of RabbitMQ keeps this instance from publishing (1) or not (0)',
      aggregator: 'max', // blocked for one worker is blocked
      collect() {
        this.set(Number(publishing.blockedBy !== undefined));
      },
    });
    new Gauge({
      name: 'events_queue_depth',
      help: 'Messages in the queues of RabbitMQ by consumer and state (ready, dead)',
      labelNames: ['consumer', 'state'],
      aggregator: 'max', // every worker sees the same queue
      async collect() {
        const tell = async (consumer: string, state: string, queue: string) =>
          this.set({ consumer, state }, await within(depthOf(queue), PATIENCE_MS, NaN));
        await Promise.all(
          served.flatMap(({ name }) => [tell(name, 'ready', queueOf(name)), tell(name, 'dead', deadQueueOf(name))]),
        );
      },
    });
  }

  /** @returns NaN while the broker can't be asked */
  private async depthOf(queue: string): Promise<number> {
    return await this.channel
      .run((channel) => channel.checkQueue(queue))
      .then(
        ({ messageCount }) => messageCount,
        () => NaN,
      );
  }
}
