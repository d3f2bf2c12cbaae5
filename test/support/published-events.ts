import { type ChannelModel, connect } from 'amqplib';
import type { CloudEvent } from '../../src/contracts/event.js';

const connections: ChannelModel[] = [];

/** @returns all events that a broker is told of from now on, as they come */
export async function collectEvents(rabbitmqUrl: string): Promise<CloudEvent[]> {
  const events: CloudEvent[] = [];
  const connection = await connect(rabbitmqUrl);
  connection.on('error', () => undefined);
  connections.push(connection);
  const channel = await connection.createChannel();
  await channel.assertExchange('scalable-api.events', 'topic', { durable: true });
  const { queue } = await channel.assertQueue('', { exclusive: true });
  await channel.bindQueue(queue, 'scalable-api.events', '#');
  await channel.consume(
    queue,
    (message) => message && events.push(JSON.parse(message.content.toString()) as CloudEvent),
    {
      noAck: true,
    },
  );
  return events;
}

afterAll(async () => {
  for (const connection of connections) await connection.close().catch(() => undefined);
});
