import { setTimeout as delay } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { Counter } from 'prom-client';
import type { EventConsumer } from '../event-consumer.js';
import { CheckChannel } from './check-channel.js';
import type { RabbitMqConnection } from './rabbitmq-connection.js';
import { declareTopology, EVENTS_EXCHANGE, queuesOf } from './topology.js';

/**
 * From finding a queue missing to declaring it again, in milliseconds. So a deleted queue stays away for at least this long,
 * and one that exists at two moments less than this apart has existed in between. Publishers rely on it. (It doesn't hold for a
 * queue that is deleted twice within this time: the repair of the first deletion ends the second.)
 */
export const REPAIR_DELAY_MS = 3_000;
/** The longest that the broker may take to declare everything, in milliseconds. */
const DECLARE_TIMEOUT_MS = 30_000;

export const missingQueues = new Counter({
  name: 'events_queues_missing_total',
  help: 'Queues of RabbitMQ that were found to be missing and were declared again, by queue',
  labelNames: ['queue'],
});

const logger = new Logger('RabbitMQ');

/**
 * Declares the exchanges and bindings of all consumers, and their queues where they are missing. In a new broker it does so at
 * once, otherwise after {@link REPAIR_DELAY_MS}.
 *
 * @throws Error where the broker doesn't answer, or another queue is deleted meanwhile: it has to stay away as long
 */
export async function ensureTopology(connection: RabbitMqConnection, consumers: EventConsumer[]): Promise<void> {
  const channel = new CheckChannel(connection);
  const declare = (missing?: string[]) =>
    channel.run((opened) => declareTopology(opened, consumers, missing), DECLARE_TIMEOUT_MS);
  const queues = queuesOf(consumers);
  try {
    // The exchange is declared after the queues. Without it nothing can be published that could miss one.
    if (!(await channel.exists((opened) => opened.checkExchange(EVENTS_EXCHANGE)))) return await declare();
    const missing: string[] = [];
    for (const queue of queues) {
      if (!(await channel.exists((opened) => opened.checkQueue(queue)))) missing.push(queue);
    }
    if (missing.length > 0) {
      logger.warn({ queues: missing }, 'queues are missing and will be declared again');
      await delay(REPAIR_DELAY_MS, undefined, { ref: false });
    }
    await declare(missing);
    for (const queue of missing) missingQueues.inc({ queue });
  } finally {
    channel.close();
  }
}
