import type { Channel } from 'amqplib';
import { type EventConsumer, subscriptionsOf } from '../event-consumer.js';

const PREFIX = 'scalable-api';
/** Where all events are published, the routing key being the event's type. */
export const EVENTS_EXCHANGE = `${PREFIX}.events`;
const DEAD_EXCHANGE = `${PREFIX}.dead`;

/** How long a message waits before it is tried again, in milliseconds; each has a queue that lets messages out then. */
export const RETRY_DELAYS_MS = [250, 2_000, 15_000, 120_000, 600_000] as const;
const TRIES_AT_EACH_DELAY = 3;

/** After so many failures, about an hour and a half of trying, a message is dead. */
export const MAX_ATTEMPTS = 20;

/**
 * How often a message may come back without having been tried to the end, because its consumer died. Each time, in
 * other words, that a process dies of it.
 */
const DELIVERY_LIMIT = 20;

const QUORUM = { 'x-queue-type': 'quorum' };
/** A message leaves its queue once the next one has it: without these, the broker forgets it first. */
const SAFE_DEAD_LETTERING = { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' };

export const queueOf = (consumer: string): string => `${PREFIX}.${consumer}`;
export const deadQueueOf = (consumer: string): string => `${queueOf(consumer)}.dead`;

/** The exchange that a message is left at to come again; its routing key says to which queue. */
export function retryExchangeAfter(attempts: number): string {
  const level = Math.min(Math.floor((attempts - 1) / TRIES_AT_EACH_DELAY), RETRY_DELAYS_MS.length - 1);
  return retryName(RETRY_DELAYS_MS[level] as number);
}

/**
 * Declares exchanges and bindings for all consumers: also for those that other processes serve and that may never have started,
 * or events published before would reach nobody. Existing ones are not changed.
 *
 * @param missing the queues to declare; the others exist and are only bound. Undefined in a broker without the exchange for
 * events: all are missing
 * @throws Error where another queue is missing
 */
export async function declareTopology(channel: Channel, consumers: EventConsumer[], missing?: string[]): Promise<void> {
  const declare = async (queue: string, options: Record<string, unknown>) => {
    if (!missing || missing.includes(queue))
      await channel.assertQueue(queue, { durable: true, arguments: { ...QUORUM, ...options } });
  };
  await channel.assertExchange(DEAD_EXCHANGE, 'direct', { durable: true });
  for (const delay of RETRY_DELAYS_MS) {
    const name = retryName(delay);
    await channel.assertExchange(name, 'fanout', { durable: true });
    // Messages that have waited long enough go to the queue that their routing key names.
    const toTheirQueue = { 'x-message-ttl': delay, 'x-dead-letter-exchange': '' };
    await declare(name, { ...SAFE_DEAD_LETTERING, ...toTheirQueue });
    await channel.bindQueue(name, name, '');
  }
  const bind = (consumer: EventConsumer) => {
    const types = new Set(subscriptionsOf(consumer).map(({ type }) => type));
    return [...types].map((type) => channel.bindQueue(queueOf(consumer.name), EVENTS_EXCHANGE, type));
  };
  for (const consumer of consumers) {
    const [queue, deadQueue] = [queueOf(consumer.name), deadQueueOf(consumer.name)];
    await declare(deadQueue, {});
    await channel.bindQueue(deadQueue, DEAD_EXCHANGE, queue);
    const whenDead = { 'x-dead-letter-exchange': DEAD_EXCHANGE, 'x-dead-letter-routing-key': queue };
    const declared = declare(queue, { ...SAFE_DEAD_LETTERING, ...whenDead, 'x-delivery-limit': DELIVERY_LIMIT });
    // Without a pause between: a publisher that finds the queue takes it for bound.
    await Promise.all([declared, ...(missing ? bind(consumer) : [])]);
  }
  // Last: where it exists, so did all queues.
  await channel.assertExchange(EVENTS_EXCHANGE, 'topic', { durable: true });
  if (!missing) for (const consumer of consumers) await Promise.all(bind(consumer));
}

/** The names of all queues. */
export function queuesOf(consumers: EventConsumer[]): string[] {
  return [
    ...consumers.flatMap(({ name }) => [queueOf(name), deadQueueOf(name)]),
    ...RETRY_DELAYS_MS.map((delay) => retryName(delay)),
  ];
}

function retryName(delay: number): string {
  return `${PREFIX}.retry.${delay}ms`;
}
