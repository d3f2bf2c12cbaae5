import { setTimeout as delay } from 'node:timers/promises';
import { connect } from 'amqplib';
import { MongoClient, type Db } from 'mongodb';
import { startMongoDb } from '../../local/mongodb.js';
import { startRedis } from '../../local/redis.js';
import { type ApiClient, type PageOf } from '../support/api-client.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { type RunningShape, startShape } from '../support/shape.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { type OwnServer, startOwnServer } from './own-server.js';
import { randomFrom } from './random.js';

/** 10,000 changes by 200 users is the whole of it; the defaults are what a test run has time for. */
const CHANGES = Number(process.env['CHAOS_CHANGES'] ?? 500);
const USERS = Number(process.env['CHAOS_USERS'] ?? Math.max(5, CHANGES / 50));
const SEED = Number(process.env['CHAOS_SEED'] ?? Date.now() % 1_000_000);
const WRITERS = Math.min(USERS, 16);
const PAUSE_MS = { least: 2_000, most: 5_000 };
const DOWN_MS = { least: 100, most: 1_500 };
const SETTLING_MS = 300_000;
const POISON = 'poisoned on purpose';

interface Victim {
  name: string;
  kill(): Promise<void>;
  start(): Promise<unknown>;
  killed: number;
}

const random = randomFrom(SEED);
const between = ({ least, most }: { least: number; most: number }) => least + random() * (most - least);

let service: RunningShape;
let mongodb: OwnServer;
let redis: OwnServer;
let client: MongoClient;
let brokerUrl: string;
let victims: Victim[];
let users: TestUser[];

beforeAll(async () => {
  mongodb = await startOwnServer((context) => startMongoDb(context, {}));
  redis = await startOwnServer((context) => startRedis(context, {}));
  const broker = await startOwnRabbitMq();
  brokerUrl = broker.url;
  const settings = { RABBITMQ_URL: broker.url, REDIS_URL: redis.url, ACCESS_TOKEN_TTL_SECONDS: '3600' };
  service = await startShape('split', settings, mongodb.url);
  client = new MongoClient(mongodb.url, { serverSelectionTimeoutMS: 60_000 });
  users = [];
  for (let count = 0; count < USERS; count++) users.push(await registerUser(service));
  const processes = service.processes.map((each) => ({
    name: String(each.environment['MODULES']),
    kill: () => each.kill(),
    start: () => each.start(),
  }));
  const servers = [
    { name: 'RabbitMQ', ...broker },
    { name: 'Redis', ...redis },
    { name: 'database', ...mongodb },
  ];
  victims = [...processes, ...servers].map(({ name, kill, start }) => ({ name, kill, start, killed: 0 }));
}, 600_000);
afterAll(async () => {
  await Promise.all((service?.processes ?? []).map((each) => each.stop()));
  await client?.close();
  await mongodb?.remove();
  await redis?.remove();
}, 120_000);

/** The database of the process that serves a module. */
function databaseOf(module: string): Db {
  const process = service.processes.find(({ environment }) => environment['MODULES'] === module);
  return client.db(process?.databaseName);
}

/** What the service has acknowledged of a task: the version, and whether it was done at some point. */
interface Acknowledged {
  owner: TestUser;
  version: number;
  completed: boolean;
}

const acknowledged = new Map<string, Acknowledged>();
let [changes, refused] = [0, 0];

/** Changes tasks until all is done; what isn't acknowledged doesn't count, and may have happened all the same. */
async function write(owner: TestUser): Promise<void> {
  const own: string[] = [];
  while (changes < CHANGES) {
    if (random() < 0.1) await rename(owner).catch(() => undefined);
    const id = random() < 0.4 ? undefined : own[Math.floor(random() * own.length)];
    try {
      const { status, body } = id
        ? await owner.api.patch<TaskBody & { version: number }>(`${TASKS}/${id}`, change())
        : await owner.api.post<TaskBody & { version: number }>(TASKS, { title: 'Through chaos' });
      if (status >= 400) throw new Error(`answered ${status}`);
      changes += 1;
      if (!id) own.push(body.id);
      const before = acknowledged.get(body.id);
      const completed = (before?.completed ?? false) || body.status === 'done';
      acknowledged.set(body.id, { owner, version: body.version, completed });
    } catch {
      refused += 1;
      await delay(50 + random() * 200);
    }
  }
}

/** The profile's name, of which two other modules keep copies. */
async function rename(owner: TestUser): Promise<void> {
  await owner.api.patch('/api/v1/users/me', { name: `Name ${Math.floor(random() * 1e6)}` });
}

/** How many copies of a user's name, in the other modules, aren't the name that the profile has. */
async function countOutdated(): Promise<number> {
  let outdated = 0;
  const profiles = await databaseOf('users').collection('users').find().toArray();
  for (const [module, collection] of [
    ['auth', 'accounts'],
    ['notifications', 'contacts'],
  ] as const) {
    const copies = await databaseOf(module).collection(collection).find().toArray();
    const names = new Map(copies.map(({ _id, name }) => [String(_id), name as string]));
    outdated += profiles.filter(({ _id, name }) => names.get(String(_id)) !== name).length;
  }
  return outdated;
}

function change(): object {
  return random() < 0.5 ? { status: 'done' } : { title: `Changed ${Math.floor(random() * 1e6)}` };
}

/** Kills somebody every few seconds, and starts them again a little later. */
async function wreak(stop: AbortSignal): Promise<void> {
  while (!stop.aborted) {
    await delay(between(PAUSE_MS), undefined, { signal: stop }).catch(() => undefined);
    if (stop.aborted) return;
    const victim = victims[Math.floor(random() * victims.length)] as Victim;
    await victim.kill();
    victim.killed += 1;
    await delay(between(DOWN_MS));
    await victim.start();
  }
}

/** Leases of whoever was killed run out by themselves after a minute: an operator needn't wait for that. */
async function endLeases(): Promise<void> {
  for (const module of ['auth', 'users', 'tasks', 'notifications']) {
    const held = { state: 'ready', lease: { $ne: null } };
    await databaseOf(module)
      .collection('outbox')
      .updateMany(held, { $set: { availableAt: new Date(0) } });
  }
}

async function queueDepths(): Promise<Record<string, number>> {
  const connection = await connect(brokerUrl);
  try {
    const channel = await connection.createChannel();
    const depths: Record<string, number> = {};
    for (const module of ['auth', 'users', 'tasks', 'notifications']) {
      for (const queue of [module, `${module}.access`].flatMap((name) => [name, `${name}.dead`])) {
        depths[queue] = (await channel.checkQueue(`scalable-api.${queue}`)).messageCount;
      }
    }
    for (const delayed of [250, 2000, 15000, 120000, 600000]) {
      depths[`retry ${delayed}`] = (await channel.checkQueue(`scalable-api.retry.${delayed}ms`)).messageCount;
    }
    return depths;
  } finally {
    await connection.close();
  }
}

async function poison(): Promise<void> {
  const connection = await connect(brokerUrl);
  const channel = await connection.createConfirmChannel();
  channel.publish('', 'scalable-api.tasks', Buffer.from(POISON), { persistent: true });
  await channel.waitForConfirms();
  await connection.close();
}

/** Handled, wherever an event can be on its way. */
async function isSettled(): Promise<boolean> {
  for (const module of ['auth', 'users', 'tasks', 'notifications']) {
    if ((await databaseOf(module).collection('outbox').countDocuments()) > 0) return false;
  }
  const depths = Object.entries(await queueDepths());
  return depths.every(([queue, depth]) => depth === 0 || queue.endsWith('.dead'));
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

it(`loses, doubles and confuses nothing: ${CHANGES} changes, seed ${SEED}`, async () => {
  await poison();
  const begun = Date.now();
  const end = new AbortController();
  const wreaking = wreak(end.signal);
  await Promise.all(Array.from({ length: WRITERS }, (_, index) => write(users[index % USERS] as TestUser)));
  const seconds = (Date.now() - begun) / 1000;
  end.abort();
  await wreaking;
  await endLeases();
  await waitFor('all events to be handled', isSettled, SETTLING_MS);

  let [lost, older, untold, doubled, completions] = [0, 0, 0, 0, 0];
  for (const user of users) {
    const tasks = new Map((await all<TaskBody & { version: number }>(user.api, TASKS)).map((task) => [task.id, task]));
    const notified = await all<{ event: string; data: { taskId: string } }>(user.api, '/api/v1/notifications');
    const told = notified.filter(({ event }) => event === 'task.completed').map(({ data }) => data.taskId);
    doubled += told.length - new Set(told).size;
    for (const [id, { version, completed, owner }] of acknowledged) {
      if (owner !== user) continue;
      const task = tasks.get(id);
      if (!task) lost += 1;
      else if (task.version < version) older += 1;
      if (completed) completions += 1;
      if (completed && !told.includes(id)) untold += 1;
    }
  }
  const outdated = await countOutdated();
  const dead = Object.entries(await queueDepths()).filter(([queue, depth]) => queue.endsWith('.dead') && depth > 0);
  console.info(
    [
      `seed ${SEED}: ${changes} changes by ${USERS} users in ${seconds.toFixed(0)} s, ${refused} refused meanwhile`,
      `killed: ${victims.map(({ name, killed }) => `${name} ${killed}`).join(', ')}`,
      `completions ${completions}: untold ${untold}, told twice ${doubled}; tasks lost ${lost}, older than acknowledged ${older}; outdated copies ${outdated}`,
      `dead letters: ${dead.map(([queue, depth]) => `${queue} ${depth}`).join(', ')}`,
    ].join('\n'),
  );
  expect({ lost, older, untold, doubled, outdated }).toEqual({ lost: 0, older: 0, untold: 0, doubled: 0, outdated: 0 });
  expect(dead).toEqual([['tasks.dead', 1]]);
});
