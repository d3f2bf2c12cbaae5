import { randomUUID } from 'node:crypto';
import { SpanKind } from '@opentelemetry/api';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { ChannelWrapper } from 'amqp-connection-manager';
import type { Message, Options } from 'amqplib';
import { Counter } from 'prom-client';
import type { CloudEvent } from '../../../contracts/event.js';
import { currentTraceparent, inSpan } from '../../observability/tracing/spans.js';
import { EventBus, type PublishingRetryPolicy } from '../event-bus.js';
import { EVENT_CONSUMERS, type EventConsumer } from '../event-consumer.js';
import { FairOrder } from '../fair-order.js';
import { ensureTopology } from './ensure-topology.js';
import { RabbitMqConnections } from './rabbitmq-connections.js';
import { EVENTS_EXCHANGE } from './topology.js';
import { TopologyWatch } from './topology-watch.js';

/** CloudEvents' JSON format, structured mode (CloudEvents AMQP binding, 3.2). */
const MEDIA_TYPE = 'application/cloudevents+json; charset=utf-8';

/**
 * Quorum queues of RabbitMQ 4 have two priorities and hand out two messages above 4 for each one below; those of
 * RabbitMQ 3 have none, and a burst then delays what is published after it.
 */
const PRIORITY = { usual: 5, inBurst: 0 };

const published = new Counter({
  name: 'events_published_total',
  help: 'Events handed to RabbitMQ by outcome (confirmed, returned: they reached no queue, failed)',
  labelNames: ['outcome'],
});

/** Header: tells one sending from another, also of the same message. */
const SENDING = 'x-sending';

/** A message that the broker has confirmed and that reached no queue. */
class ReturnedMessageError extends Error {}

/**
 * Publishes events persistently to a topic exchange. One counts as published once the broker has confirmed it and it can't
 * have missed the queue of a consumer that has a handler for its type. A type without a handler may reach nobody.
 */
@Injectable()
export class RabbitMqBus extends EventBus implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Without end: no event is at fault when the broker can't be reached. */
  readonly retryPolicy: PublishingRetryPolicy = { maxAttempts: Infinity, maxBackoffMs: 5_000 };
  readonly reachesOthers = true;
  private readonly channel: ChannelWrapper;
  private readonly order = new FairOrder();
  /** The sendings that came back and whose confirmation is about to follow. */
  private readonly returned = new Set<string>();

  constructor(
    private readonly connections: RabbitMqConnections,
    private readonly topology: TopologyWatch,
    @Inject(EVENT_CONSUMERS) consumers: EventConsumer[],
  ) {
    super();
    this.channel = connections.publishing.createChannel('publishing', async (channel) => {
      this.returned.clear();
      channel.on('return', ({ properties }: Message) => this.returned.add(String(properties.headers?.[SENDING])));
      await ensureTopology(connections.publishing, consumers);
    });
  }

  onApplicationBootstrap(): void {
    for (const outcome of ['confirmed', 'returned', 'failed']) published.inc({ outcome }, 0);
    this.connections.open();
  }

  get isAvailable(): boolean {
    // Queues are asked about on the other connection: without it each event would be published again and again.
    return this.connections.publishing.canPublish && this.connections.consuming.isConnected;
  }

  async publish(event: CloudEvent): Promise<void> {
    const { id, type } = event;
    const attributes = { 'messaging.system': 'rabbitmq', 'messaging.message.id': id };
    await inSpan(`publish ${type}`, { kind: SpanKind.PRODUCER, attributes }, async () => {
      const traceparent = currentTraceparent();
      const content = Buffer.from(JSON.stringify({ ...event, ...(traceparent && { traceparent }) }));
      const priority = this.order.isInBurst(event) ? PRIORITY.inBurst : PRIORITY.usual;
      const queues = this.topology.queuesFor(type);
      const options = { contentType: MEDIA_TYPE, messageId: id, type, priority, mandatory: queues.length > 0 };
      // It comes back only where it reached no queue at all: one of several may have been missing.
      await this.topology.reach(queues, () => this.send(EVENTS_EXCHANGE, type, content, options));
      this.order.next(event);
    }).catch((error: unknown) => {
      published.inc({ outcome: error instanceof ReturnedMessageError ? 'returned' : 'failed' });
      throw error;
    });
    published.inc({ outcome: 'confirmed' });
  }

  /**
   * Sends a persistent message and waits until the broker has it safe; for some seconds also for a connection.
   *
   * @param options with `mandatory`, the message has to reach a queue
   * @throws Error where no confirmation comes, or the message came back: queues and bindings are declared again by then
   */
  async send(exchange: string, routingKey: string, content: Buffer, options: Options.Publish): Promise<void> {
    // Two consumers of a process may send the same message on at once, so its id doesn't tell which one came back.
    const sending = randomUUID();
    const headers = { ...(options.headers as Record<string, unknown> | undefined), [SENDING]: sending };
    await this.channel.publish(exchange, routingKey, content, { ...options, headers, persistent: true });
    if (!this.returned.delete(sending)) return;
    await this.topology.repair();
    throw new ReturnedMessageError(`reached no queue: ${exchange}, ${routingKey}`);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connections.close();
  }
}
