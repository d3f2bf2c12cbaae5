import { MongoClient, type Db } from 'mongodb';
import { startMongoDb } from '../../local/mongodb.js';
import { startRedis } from '../../local/redis.js';
import type { ApiClient, PageOf } from '../support/api-client.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { type Restartable, startRestartable } from '../support/restartable.js';
import { type RunningShape, startShape } from '../support/shape.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { logIn, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { MODULES } from '../../src/contracts/modules.js';
import { countWaiting, deadLetters, poison, witness, witnessedVersions } from './broker.js';
import { countOutdated, countSetbacks } from './copies.js';
import { Wrecker } from './victims.js';
import { Writer } from './writer.js';

/** 10,000 changes by 200 users is the whole of it; the defaults are what a test run has time for. */
const CHANGES = Number(process.env['CHAOS_CHANGES'] ?? 300);
const USERS = Number(process.env['CHAOS_USERS'] ?? 20);
const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const WRITERS = Math.min(USERS, 16);
/** The longest pause before a message is tried again is ten minutes. */
const SETTLING_MS = 15 * 60_000;

let service: RunningShape;
let mongodb: Restartable;
let redis: Restartable;
let client: MongoClient;
let brokerUrl: string;
let wrecker: Wrecker;
const users: TestUser[] = [];

beforeAll(async () => {
  mongodb = await startRestartable((context) => startMongoDb(context, {}));
  redis = await startRestartable((context) => startRedis(context, {}));
  const broker = await startOwnRabbitMq();
  brokerUrl = broker.url;
  await witness(brokerUrl);
  const settings = { RABBITMQ_URL: broker.url, REDIS_URL: redis.url, ACCESS_TOKEN_TTL_SECONDS: '3600' };
  service = await startShape('split', settings, mongodb.url);
  client = new MongoClient(mongodb.url);
  while (users.length < USERS) users.push(await registerUser(service));
  const processes = service.processes.map((each) => ({
    name: String(each.environment['MODULES']),
    kill: () => each.kill(),
    start: () => each.start(),
  }));
  const servers = Object.entries({ RabbitMQ: broker, Redis: redis, database: mongodb });
  const others = servers.map(([name, { kill, start }]) => ({ name, kill, start }));
  wrecker = new Wrecker([...processes, ...others], SEED);
}, 1_200_000);
afterAll(async () => {
  await Promise.all((service?.processes ?? []).map((each) => each.stop()));
  await client?.close();
  await mongodb?.stop();
  await redis?.stop();
}, 120_000);

/** The database of the process that serves a module. */
function databaseOf(module: string): Db {
  const process = service.processes.find(({ environment }) => environment['MODULES'] === module);
  return client.db(process?.databaseName);
}

/** Nothing waits to be published, handled or sent. */
async function isSettled(): Promise<boolean> {
  for (const module of MODULES) {
    if ((await databaseOf(module).collection('outbox').countDocuments()) > 0) return false;
  }
  const unsent = await databaseOf('notifications').collection('deliveries').countDocuments({ state: 'ready' });
  return unsent === 0 && (await countWaiting(brokerUrl)) === 0;
}

/** As operators would wait for it; whatever a process has in hand, it finishes before it stops. */
async function settle(): Promise<void> {
  await waitFor('nothing to wait', isSettled, SETTLING_MS);
  for (const each of service.processes) await each.restart();
  await waitFor('nothing to wait', isSettled, SETTLING_MS);
}

async function all<T>(api: ApiClient, path: string): Promise<T[]> {
  const rows: T[] = [];
  for (let cursor = ''; ;) {
    const { body } = await api.get<PageOf<T>>(`${path}?limit=100${cursor}`);
    rows.push(...body.data);
    if (body.page.nextCursor === null) return rows;
    cursor = `&cursor=${encodeURIComponent(body.page.nextCursor)}`;
  }
}

/** What is wrong, against what was acknowledged. */
async function findFaults(writers: Writer[]) {
  const events = await witnessedVersions(brokerUrl);
  const faults = { lost: 0, older: 0, withoutEvent: 0, untold: 0, toldTwice: 0 };
  for (const user of users) {
    const { api } = await logIn(service, user); // their first token may have run out
    const tasks = new Map((await all<TaskBody & { version: number }>(api, TASKS)).map((task) => [task.id, task]));
    const notified = await all<{ event: string; data: { taskId: string } }>(api, '/api/v1/notifications');
    const told = notified.filter(({ event }) => event === 'task.completed').map(({ data }) => data.taskId);
    faults.toldTwice += told.length - new Set(told).size;
    for (const [id, { owner, versions, completed }] of writers.flatMap(({ acknowledged }) => [...acknowledged])) {
      if (owner !== user) continue;
      const task = tasks.get(id);
      if (!task) faults.lost += 1;
      else if (task.version < Math.max(...versions)) faults.older += 1;
      faults.withoutEvent += versions.filter((version) => !events.has(`${id}@${version}`)).length;
      if (completed && !told.includes(id)) faults.untold += 1;
    }
  }
  return { ...faults, outdated: await countOutdated(databaseOf) };
}

it(`loses, doubles and confuses nothing: ${CHANGES} changes by ${USERS} users, seed ${SEED}`, async () => {
  await poison(brokerUrl, 'tasks');
  const writers = Array.from({ length: WRITERS }, (_, index) => {
    const own = users.filter((_user, position) => position % WRITERS === index);
    return new Writer(own, SEED + index + 1);
  });
  const sum = (count: (writer: Writer) => number) => writers.reduce((total, writer) => total + count(writer), 0);
  const changed = () => sum(({ changes }) => changes);
  const end = new AbortController();
  const wreaking = wrecker.wreak(end.signal);
  const setbacks = countSetbacks(databaseOf, end.signal);
  const begun = Date.now();
  const writing = writers.map((writer) => {
    return writer.write(() => end.signal.aborted || (changed() >= CHANGES && wrecker.hasKilledAll));
  });
  try {
    // The wrecker ends first only where somebody it killed doesn't come back.
    await Promise.race([Promise.all(writing), wreaking]);
  } finally {
    end.abort();
    await Promise.all([...writing, wreaking]);
  }
  const seconds = Math.round((Date.now() - begun) / 1000);
  await settle();

  const faults = { ...(await findFaults(writers)), setbacks: await setbacks };
  const dead = await deadLetters(brokerUrl);
  process.stdout.write(
    [
      `${changed()} changes by ${USERS} users in ${seconds} s, refused meanwhile: ${sum(({ refused }) => refused)}`,
      `killed: ${[...wrecker.kills].map(([name, times]) => `${name} ${times}`).join(', ')}`,
      `faults: ${JSON.stringify(faults)}`,
      `dead letters: ${JSON.stringify(dead)}`,
      '',
    ].join('\n'),
  );
  expect(Object.entries(faults).filter(([, count]) => count > 0)).toEqual([]);
  expect(dead).toEqual({ 'tasks.dead': 1 });
});
