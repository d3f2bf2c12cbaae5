import { type ConfirmChannel, connect } from 'amqplib';
import type { CloudEvent } from '../../src/contracts/event.js';
import { MODULES } from '../../src/contracts/modules.js';
import type { TaskEventData } from '../../src/contracts/tasks.events.js';
import { RETRY_DELAYS_MS } from '../../src/platform/messaging/rabbitmq/topology.js';

const EVENTS = 'scalable-api.events';
/** A queue of the test's own that gets every event, and outlives the broker as those of the service do. */
const WITNESS = 'chaos-witness';
const QUORUM = { durable: true, arguments: { 'x-queue-type': 'quorum' } };
const POISON = 'poisoned on purpose';

async function withChannel<T>(url: string, work: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
  const connection = await connect(url);
  try {
    return await work(await connection.createConfirmChannel());
  } finally {
    await connection.close();
  }
}

/** Has every event from now on kept for `witnessedVersions`. */
export async function witness(url: string): Promise<void> {
  await withChannel(url, async (channel) => {
    await channel.assertExchange(EVENTS, 'topic', { durable: true });
    await channel.assertQueue(WITNESS, QUORUM);
    await channel.bindQueue(WITNESS, EVENTS, '#');
  });
}

/** The changes of tasks that there was an event of, as `<task>@<version>`. */
export async function witnessedVersions(url: string): Promise<Set<string>> {
  return await withChannel(url, async (channel) => {
    const versions = new Set<string>();
    for (let left = (await channel.checkQueue(WITNESS)).messageCount; left > 0; left--) {
      const message = await channel.get(WITNESS, { noAck: true });
      if (!message) break;
      const { type, subject, data } = JSON.parse(message.content.toString()) as CloudEvent<TaskEventData>;
      if (type.startsWith('tasks.')) versions.add(`${subject}@${data.version}`);
    }
    return versions;
  });
}

/** Leaves a message that is no event in a module's queue. */
export async function poison(url: string, module: string): Promise<void> {
  await withChannel(url, async (channel) => {
    channel.sendToQueue(`scalable-api.${module}`, Buffer.from(POISON), { persistent: true });
    await channel.waitForConfirms();
  });
}

async function depths(url: string, queues: string[]): Promise<Record<string, number>> {
  return await withChannel(url, async (channel) => {
    const found: Record<string, number> = {};
    for (const queue of queues) found[queue] = (await channel.checkQueue(`scalable-api.${queue}`)).messageCount;
    return found;
  });
}

/** How many messages lie in queues that events are handled or tried again from. */
export async function countWaiting(url: string): Promise<number> {
  const queues = [...MODULES, ...MODULES.map((module) => `${module}.access`)];
  const retries = RETRY_DELAYS_MS.map((pause) => `retry.${pause}ms`);
  return Object.values(await depths(url, [...queues, ...retries])).reduce((sum, depth) => sum + depth, 0);
}

/** The dead-letter queues that hold something, and how much. */
export async function deadLetters(url: string): Promise<Record<string, number>> {
  const queues = MODULES.flatMap((module) => [`${module}.dead`, `${module}.access.dead`]);
  return Object.fromEntries(Object.entries(await depths(url, queues)).filter(([, depth]) => depth > 0));
}
