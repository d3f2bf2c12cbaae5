import { randomUUID } from 'node:crypto';
import { MongoClient, ObjectId } from 'mongodb';
import { connect } from 'amqplib';
import type { CloudEvent } from '../../src/contracts/event.js';
import { TaskCompletedEvent } from '../../src/contracts/tasks.events.js';
import { newDatabaseName, databaseUri, startService, TestService } from '../support/service.js';
import { type OwnRabbitMq, startOwnRabbitMq } from '../support/rabbitmq.js';
import { waitFor } from '../support/wait-for.js';
import { deadLetters } from './broker.js';

const EVENTS = Number(process.env['BACKLOG_EVENTS'] ?? 100_000);
/** How often a consumer is killed, evenly spread over the work. */
const KILLS = EVENTS > 10_000 ? 10 : 2;
const USERS = 100;
const BATCH = 1000;
const PATIENCE_MS = 110 * 60_000;
const QUEUE = 'scalable-api.notifications';

let broker: OwnRabbitMq;
let client: MongoClient;
let tasks: TestService;
let consumers: TestService[] = [];

beforeAll(async () => {
  broker = await startOwnRabbitMq();
  tasks = await startService({ MODULES: 'tasks', EVENT_BUS: 'rabbitmq', RABBITMQ_URL: broker.url });
  client = await new MongoClient(tasks.mongodbUri).connect();
}, 300_000);
afterAll(async () => {
  await Promise.all([tasks, ...consumers].map((each) => each?.stop()));
  await client?.close();
}, 120_000);

const outbox = () => client.db(tasks.databaseName).collection('outbox');
const notifications = (databaseName: string) => client.db(databaseName).collection('notifications');
const seconds = (since: number) => Math.round((Date.now() - since) / 1000);

/** Stores events as transactions of many users would have: each about another task. */
async function storeEvents(): Promise<void> {
  const users = Array.from({ length: USERS }, () => new ObjectId().toHexString());
  for (let stored = 0; stored < EVENTS; stored += BATCH) {
    const now = new Date();
    const entries = Array.from({ length: Math.min(BATCH, EVENTS - stored) }, (_, number) => ({
      event: completionOf(users[number % USERS] as string, now),
      ...{ consumers: ['notifications'], state: 'ready', availableAt: now, createdAt: now },
      ...{ lease: null, attempts: 0, lastError: null, traceparent: null },
    }));
    await outbox().insertMany(entries);
  }
}

function completionOf(userId: string, time: Date): CloudEvent {
  return {
    specversion: '1.0',
    id: randomUUID(),
    source: '/tasks',
    type: TaskCompletedEvent.type,
    subject: new ObjectId().toHexString(),
    time: time.toISOString(),
    datacontenttype: 'application/json',
    data: { userId, version: 2, title: 'Write the report', completedAt: time.toISOString() },
  };
}

async function deleteQueue(): Promise<void> {
  const connection = await connect(broker.url);
  const channel = await connection.createChannel();
  await channel.deleteQueue(QUEUE);
  await connection.close();
}

async function memoryOf(services: TestService[]): Promise<number> {
  const sizes = services.map(async ({ url }) => {
    const { memory } = (await (await fetch(`${url}/health`)).json()) as { memory: { rss: number } };
    return memory.rss;
  });
  return Math.round(Math.max(...(await Promise.all(sizes))) / 2 ** 20);
}

it(`works off a backlog of ${EVENTS} events once in effect, with ${KILLS} kills in between`, async () => {
  // The consumer is down and its queue is gone: what is published must not be lost with it.
  await deleteQueue();
  const publishing = Date.now();
  await storeEvents();
  await waitFor('all to be published', async () => (await outbox().countDocuments()) === 0, PATIENCE_MS);
  const published = { seconds: seconds(publishing), mib: await memoryOf([tasks]) };

  const name = newDatabaseName();
  const environment = { ...tasks.environment, MODULES: 'notifications', MONGODB_URI: databaseUri(name) };
  const first = await new TestService(name, environment).start();
  consumers = [first, await first.replica()];
  const consuming = Date.now();
  const handled = () => notifications(name).countDocuments();
  let mostMib = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    const part = Math.floor((EVENTS * kill) / (KILLS + 1));
    await waitFor(`${part} to be handled`, async () => (await handled()) >= part, PATIENCE_MS);
    mostMib = Math.max(mostMib, await memoryOf(consumers));
    const victim = consumers[kill % consumers.length] as TestService;
    await victim.kill();
    await victim.start();
  }
  await waitFor('all to be handled', async () => (await handled()) >= EVENTS, PATIENCE_MS);
  const worked = seconds(consuming);
  await waitFor('nothing to wait', async () => (await depthOf(QUEUE)) === 0, PATIENCE_MS);
  // What was taken by a consumer that is gone, or is under way, is finished before they stop.
  await Promise.all(consumers.map((each) => each.restart()));
  await waitFor('nothing to wait', async () => (await depthOf(QUEUE)) === 0, PATIENCE_MS);

  process.stdout.write(
    `${EVENTS} events: published in ${published.seconds} s (${published.mib} MiB), ` +
      `handled in ${worked} s with ${KILLS} kills (at most ${mostMib} MiB a process)\n`,
  );
  const distinct = await notifications(name)
    .aggregate<{ count: number }>([{ $group: { _id: '$data.taskId' } }, { $count: 'count' }])
    .next();
  expect({ notifications: await handled(), tasks: distinct?.count }).toEqual({ notifications: EVENTS, tasks: EVENTS });
  expect(await deadLetters(broker.url)).toEqual({});
});

async function depthOf(queue: string): Promise<number> {
  const connection = await connect(broker.url);
  try {
    return (await (await connection.createChannel()).checkQueue(queue)).messageCount;
  } finally {
    await connection.close();
  }
}
