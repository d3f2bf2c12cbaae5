import { setTimeout as delay } from 'node:timers/promises';
import { SpanKind } from '@opentelemetry/api';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import type { ConfirmChannel, ConsumeMessage } from 'amqplib';
import { Counter } from 'prom-client';
import { isDatabaseUnreachable } from '../../../common/errors/database-unreachable.js';
import { ProcessEnvironment } from '../../../config/areas/process.environment.js';
import type { CloudEvent } from '../../../contracts/event.js';
import { inSpan, markFailed } from '../../observability/tracing/spans.js';
import { EVENT_CONSUMERS, type EventConsumer } from '../event-consumer.js';
import { EventDispatcher } from '../event-dispatcher.js';
import { ensureTopology } from './ensure-topology.js';
import { attemptsAt, sendingOn, toEvent } from './message.js';
import { RabbitMqBus } from './rabbitmq-bus.js';
import { RabbitMqConnections } from './rabbitmq-connections.js';
import { MAX_ATTEMPTS, queueOf, retryExchangeAfter } from './topology.js';

/** How many messages a consumer works on at once in one process. */
const PREFETCH = 16;
/** From one try to leave a failed message for later to the next, in milliseconds. */
const SEND_AGAIN_MS = 500;

const consumed = new Counter({
  name: 'events_consumed_total',
  help: 'Messages taken from RabbitMQ by consumer and outcome (handled, retried, dead)',
  labelNames: ['consumer', 'outcome'],
});
const redelivered = new Counter({
  name: 'events_redelivered_total',
  help: 'Messages that were delivered again because their former consumer went away, by consumer',
  labelNames: ['consumer'],
});

/** Takes events from the queues of the consumers that this process serves; a message is acknowledged once it is handled. */
@Injectable()
export class RabbitMqConsumers implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(RabbitMqConsumers.name);
  private readonly underWay = new Set<Promise<void>>();
  private readonly closed = new WeakSet<ConfirmChannel>();
  private stopping = false;
  private cancel: () => Promise<unknown> = () => Promise.resolve();

  constructor(
    private readonly connections: RabbitMqConnections,
    private readonly bus: RabbitMqBus,
    private readonly dispatcher: EventDispatcher,
    @Inject(EVENT_CONSUMERS) private readonly consumers: EventConsumer[],
    private readonly environment: ProcessEnvironment,
  ) {}

  onApplicationBootstrap(): void {
    // The queues are declared also where they are worked on elsewhere: what is published needs them.
    const served = this.consumers.filter((consumer) => consumer.served && this.environment.WORK_ENABLED);
    for (const { name: consumer } of served) {
      redelivered.inc({ consumer }, 0);
      for (const outcome of ['handled', 'retried', 'dead']) consumed.inc({ consumer, outcome }, 0);
    }
    this.connections.consuming.createChannel('consuming', async (channel) => {
      await ensureTopology(this.connections.consuming, this.consumers);
      if (this.stopping) return;
      channel.on('close', () => this.closed.add(channel));
      await channel.prefetch(PREFETCH);
      const tags = await Promise.all(served.map(({ name }) => this.consume(channel, name)));
      this.cancel = () => Promise.all(tags.map((tag) => channel.cancel(tag).catch(() => undefined)));
    });
  }

  /** Takes nothing more and finishes what is under way; what was sent here and not begun goes to another process. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.cancel();
    await Promise.all(this.underWay);
  }

  private async consume(channel: ConfirmChannel, consumer: string): Promise<string> {
    const onMessage = (message: ConsumeMessage | null) => {
      // The queue is gone or has moved to another node: it has no consumer until another one is made.
      if (!message) return this.connections.consuming.reconnect();
      const work: Promise<void> = this.takeIn(channel, consumer, message).finally(() => this.underWay.delete(work));
      this.underWay.add(work);
    };
    const { consumerTag } = await channel.consume(queueOf(consumer), onMessage);
    return consumerTag;
  }

  private async takeIn(channel: ConfirmChannel, consumer: string, message: ConsumeMessage): Promise<void> {
    if (message.fields.redelivered) redelivered.inc({ consumer });
    const event = toEvent(message);
    const attributes = { 'messaging.system': 'rabbitmq', 'messaging.message.id': event?.id };
    const description = { kind: SpanKind.CONSUMER, attributes, continues: event?.traceparent };
    const outcome = await inSpan(`process ${queueOf(consumer)}`, description, () =>
      this.handle(channel, consumer, message, event),
    );
    if (outcome === 'kept') return;
    try {
      // On the very channel it came by: on a later one its number stands for another message.
      if (outcome === 'dead') channel.nack(message, false, false);
      else channel.ack(message);
      consumed.inc({ consumer, outcome });
    } catch {
      // That channel is closed: the message comes again, and finds its mark in the inbox.
    }
  }

  /** @returns `kept`: neither handled nor safe elsewhere, so it stays where it is and comes again */
  private async handle(
    channel: ConfirmChannel,
    consumer: string,
    message: ConsumeMessage,
    event: CloudEvent | undefined,
  ): Promise<'handled' | 'retried' | 'dead' | 'kept'> {
    if (!event) {
      this.logger.error({ err: new Error('no CloudEvent'), consumer }, 'dead-lettered: a message that is no event');
      return 'dead';
    }
    try {
      // A process of an older version meets events of a newer one during a rollout: they are for its successors.
      if (!this.dispatcher.knows(event.type, consumer)) throw new Error(`${consumer} has no handler for ${event.type}`);
      await this.dispatcher.dispatch(event, consumer);
      return 'handled';
    } catch (error) {
      return await this.fail(channel, consumer, message, event, error);
    }
  }

  private async fail(
    channel: ConfirmChannel,
    consumer: string,
    message: ConsumeMessage,
    { id, type }: CloudEvent,
    error: unknown,
  ): Promise<'retried' | 'dead' | 'kept'> {
    markFailed(error);
    const before = attemptsAt(message);
    // No message is at fault when the database is away: it isn't held against it.
    const attempts = isDatabaseUnreachable(error) ? Math.max(before, 1) : before + 1;
    const details = { err: error, id, type, consumer, attempts };
    if (attempts >= MAX_ATTEMPTS) {
      this.logger.error(details, 'dead-lettered: it keeps failing, see the runbook for dead letters');
      return 'dead';
    }
    this.logger.warn(details, 'failed and will be tried again');
    return (await this.sendAgain(channel, consumer, message, attempts)) ? 'retried' : 'kept';
  }

  /**
   * Leaves a message for its next attempt. While the broker takes none, it stays here: back in its queue it would come again
   * at once, and after some times the broker would give it up.
   *
   * @returns false where its channel or this process ends first
   */
  private async sendAgain(
    channel: ConfirmChannel,
    consumer: string,
    message: ConsumeMessage,
    attempts: number,
  ): Promise<boolean> {
    const options = { ...sendingOn(message, attempts), mandatory: true };
    while (!this.stopping && !this.closed.has(channel)) {
      try {
        if (this.bus.isAvailable) {
          await this.bus.send(retryExchangeAfter(attempts), queueOf(consumer), message.content, options);
          return true;
        }
      } catch (error) {
        this.logger.warn({ err: error, consumer }, 'a failed message could not be left for its next attempt yet');
      }
      await delay(SEND_AGAIN_MS);
    }
    return false;
  }
}
