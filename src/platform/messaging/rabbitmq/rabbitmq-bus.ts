import { SpanKind } from '@opentelemetry/api';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import type { ChannelWrapper } from 'amqp-connection-manager';
import type { Options } from 'amqplib';
import { Counter } from 'prom-client';
import type { CloudEvent } from '../../../contracts/event.js';
import { currentTraceparent, inSpan } from '../../observability/tracing/spans.js';
import { EventBus, type PublishingPatience } from '../event-bus.js';
import { EVENT_CONSUMERS, type EventConsumer } from '../event-consumer.js';
import { FairOrder } from '../fair-order.js';
import { RabbitMqConnection } from './rabbitmq-connection.js';
import { declareTopology, EVENTS_EXCHANGE } from './topology.js';

/** CloudEvents' JSON format, structured mode (CloudEvents AMQP binding, 3.2). */
const MEDIA_TYPE = 'application/cloudevents+json; charset=utf-8';

/**
 * Quorum queues of RabbitMQ 4 have two priorities and hand out two messages above 4 for each one below; those of
 * RabbitMQ 3 have none, and a burst then delays what is published after it.
 */
const PRIORITY = { usual: 5, inBurst: 0 };

const published = new Counter({
  name: 'events_published_total',
  help: 'Events handed to RabbitMQ by outcome (confirmed, failed)',
  labelNames: ['outcome'],
});

/** Publishes events persistently to a topic exchange; one counts as published once the broker has confirmed it. */
@Injectable()
export class RabbitMqBus extends EventBus implements OnApplicationBootstrap, OnApplicationShutdown {
  /** Without end: no event is at fault when the broker can't be reached. */
  readonly patience: PublishingPatience = { maxAttempts: Infinity, maxBackoffMs: 5_000 };
  private readonly channel: ChannelWrapper;
  private readonly order = new FairOrder();

  constructor(
    private readonly connection: RabbitMqConnection,
    @Inject(EVENT_CONSUMERS) consumers: EventConsumer[],
  ) {
    super();
    this.channel = connection.createChannel('publishing', (channel) => declareTopology(channel, consumers));
  }

  onApplicationBootstrap(): void {
    for (const outcome of ['confirmed', 'failed']) published.inc({ outcome }, 0);
    this.connection.open();
  }

  async publish(event: CloudEvent): Promise<void> {
    const { id, type } = event;
    const attributes = { 'messaging.system': 'rabbitmq', 'messaging.message.id': id };
    await inSpan(`publish ${type}`, { kind: SpanKind.PRODUCER, attributes }, async () => {
      const traceparent = currentTraceparent();
      const content = Buffer.from(JSON.stringify({ ...event, ...(traceparent && { traceparent }) }));
      const priority = this.order.isInBurst(event) ? PRIORITY.inBurst : PRIORITY.usual;
      await this.send(EVENTS_EXCHANGE, type, content, { contentType: MEDIA_TYPE, messageId: id, type, priority });
      this.order.next(event);
    }).catch((error: unknown) => {
      published.inc({ outcome: 'failed' });
      throw error;
    });
    published.inc({ outcome: 'confirmed' });
  }

  /**
   * Sends a persistent message and waits until the broker has it safe; for some seconds also for a connection.
   *
   * @throws Error where no confirmation comes
   */
  async send(exchange: string, routingKey: string, content: Buffer, options: Options.Publish): Promise<void> {
    await this.channel.publish(exchange, routingKey, content, { ...options, persistent: true });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.connection.close();
  }
}
