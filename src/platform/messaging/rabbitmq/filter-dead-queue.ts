import type { ConfirmChannel, GetMessage } from 'amqplib';
import type { AboutSomebody } from '../event-owner.js';
import { attemptsAt, sendingOn, toEvent } from './message.js';
import type { RabbitMqConnection } from './rabbitmq-connection.js';
import { deadQueueOf } from './topology.js';

/**
 * Removes dead letters that are obsolete. A queue can't be searched: each message is taken, and what isn't obsolete goes to
 * the end of the queue before it is acknowledged. So an interruption may double a message, which its consumer
 * notices, and loses none. Returning messages instead would count as failed deliveries, after which the broker drops them.
 *
 * @returns how many were removed
 */
export async function filterDeadQueue(
  connection: RabbitMqConnection,
  consumer: string,
  isObsolete: (event: AboutSomebody) => Promise<boolean>,
): Promise<number> {
  let raw: ConfirmChannel | undefined;
  const channel = connection.createChannel('filtering', (opened) => {
    raw = opened;
    return Promise.resolve();
  });
  try {
    await channel.waitForConnect();
    return await filter(raw as ConfirmChannel, deadQueueOf(consumer), isObsolete);
  } finally {
    await channel.close();
  }
}

async function filter(
  channel: ConfirmChannel,
  queue: string,
  isObsolete: (event: AboutSomebody) => Promise<boolean>,
): Promise<number> {
  const { messageCount } = await channel.checkQueue(queue);
  let removed = 0;
  for (let seen = 0; seen < messageCount; seen++) {
    const message = await channel.get(queue);
    if (!message) return removed;
    const event = toEvent(message);
    if (event && (await isObsolete(event))) removed++;
    else await moveToEnd(channel, queue, message);
    channel.ack(message);
  }
  return removed;
}

async function moveToEnd(channel: ConfirmChannel, queue: string, message: GetMessage): Promise<void> {
  channel.publish('', queue, message.content, sendingOn(message, attemptsAt(message)));
  await channel.waitForConfirms();
}
