import type { ConfirmChannel, GetMessage } from 'amqplib';
import { DependencyUnavailableError } from '../../../common/errors/problem.js';
import type { EventConsumer } from '../event-consumer.js';
import { ensureTopology } from './ensure-topology.js';
import { sendingOn } from './message.js';
import type { RabbitMqConnection } from './rabbitmq-connection.js';
import { deadQueueOf, queueOf } from './topology.js';

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Moves a consumer's dead letters back to its queue. Each leaves the one once the other has confirmed it, so an
 * interruption may double a message, which its consumer notices, and loses none.
 *
 * @returns how many there were; those that die again meanwhile wait for the next time
 * @throws DependencyUnavailableError where RabbitMQ can't be reached
 */
export async function replayDeadQueue(
  connection: RabbitMqConnection,
  consumer: string,
  consumers: EventConsumer[],
): Promise<number> {
  let raw: ConfirmChannel | undefined;
  const channel = connection.createChannel('replaying', async (opened) => {
    await ensureTopology(connection, consumers);
    raw = opened;
  });
  try {
    await connected(connection, channel.waitForConnect());
    const deadQueue = deadQueueOf(consumer);
    const { messageCount } = await (raw as ConfirmChannel).checkQueue(deadQueue);
    for (let replayed = 0; replayed < messageCount; replayed++) {
      const message = await (raw as ConfirmChannel).get(deadQueue);
      if (!message) return replayed;
      await moveBack(raw as ConfirmChannel, queueOf(consumer), message);
    }
    return messageCount;
  } finally {
    await channel.close();
  }
}

async function connected(connection: RabbitMqConnection, whenConnected: Promise<void>): Promise<void> {
  connection.open();
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const unreachable = new DependencyUnavailableError(
      "RabbitMQ can't be reached: check RABBITMQ_URL, and that it runs.",
    );
    timer = setTimeout(() => reject(unreachable), CONNECT_TIMEOUT_MS);
  });
  await Promise.race([whenConnected, late]).finally(() => clearTimeout(timer));
}

async function moveBack(channel: ConfirmChannel, queue: string, message: GetMessage): Promise<void> {
  channel.publish('', queue, message.content, sendingOn(message, 0));
  await channel.waitForConfirms();
  channel.ack(message);
}
