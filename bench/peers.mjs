/**
 * What a request costs, here and elsewhere: processor time of the process that serves it. `npm run bench:peers`. Needs wrk
 * and Linux. Prints Markdown.
 *
 * Environment: BENCH_ROUNDS (5), BENCH_SECONDS (a measurement; 3), BENCH_ONLY (the rows to measure whose name has this in it; all).
 */
import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, ObjectId } from 'mongodb';
import { randomOf } from '../build/modules/tasks/seed/random.js';
import { insertTasks, tokenIssuer } from './support/data.mjs';
import { processorTimeOf } from './support/processor-time.mjs';
import { startProcess, startServers, startService } from './support/stack.mjs';
import { read, spread } from './support/wrk.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 3);
/** The first round compiles the code, and isn't counted. */
const WARM_UP_SECONDS = 3 * SECONDS;
const ONLY = process.env.BENCH_ONLY ?? '';
const CONNECTIONS = 16;
/** How long the start of the processes may echo, and how long they are watched while idle. */
const [START_MS, IDLE_MS] = [3000, 8000];
const USERS = 50;
const TASKS = 5000;
const NEW_TASK = JSON.stringify({
  title: 'Water the plants',
  description: 'What is to be done, in a sentence or two, as people write them.',
  status: 'todo',
  priority: 'medium',
  tags: ['bench'],
});

const servers = await startServers();
const database = new MongoClient(servers.mongodbUri);
const people = await insertTasks(servers.mongodbUri, USERS, TASKS, randomOf(1).number, () => undefined);
const issue = tokenIssuer(servers.privateKey);
const reader = { token: issue(people[0].id), taskId: people[0].taskIds[0] };
/** Of users who have no tasks yet: a list must not become longer from round to round. */
const writers = Array.from({ length: USERS }, () => issue(new ObjectId()));

/** The same users and tasks for the usual Express service, in a database of its own. */
async function startExpress() {
  const uri = new URL(servers.mongodbUri);
  uri.pathname = '/peer';
  const secret = randomBytes(32).toString('hex');
  const peer = await startProcess(['bench/peers/express.mjs'], {
    ...process.env,
    ...{ NODE_ENV: 'production', MONGODB_URI: uri.href, JWT_SECRET: secret },
  });
  const db = database.db('peer');
  const users = [...people.map(({ id }) => id), ...writers.map(() => new ObjectId())];
  const since = new Date();
  await db.collection('users').insertMany(
    users.map((_id) => ({
      ...{ _id, email: `${_id}@example.org`, name: 'Somebody', role: 'user', createdAt: since, updatedAt: since },
    })),
  );
  const tasks = await database.db().collection('tasks').find({}).toArray();
  await db.collection('tasks').insertMany(
    tasks.map(({ _id, user, title, description, status, tags, createdAt, updatedAt }) => ({
      ...{ _id, user, title, description, status, priority: 'medium', tags, createdAt, updatedAt, __v: 0 },
    })),
  );
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const tokenOf = (userId) => {
    const iat = Math.floor(Date.now() / 1000);
    const content = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ sub: String(userId), iat, exp: iat + 14_400 })}`;
    return `${content}.${createHmac('sha256', secret).update(content).digest('base64url')}`;
  };
  return { peer, token: tokenOf(people[0].id), writers: users.slice(USERS).map(tokenOf) };
}

/** Resolves when nothing that follows from writes is left to do: events, and invalidations of the cache. */
async function untilSettled() {
  const left = () =>
    Promise.all([
      database.db().collection('outbox').countDocuments({ state: 'ready' }),
      database
        .db()
        .collection('cachestate')
        .countDocuments({ state: { $ne: 'epoch' } }),
    ]);
  while ((await left()).some((count) => count > 0)) await delay(50);
}

const plainPeer = (name) => startProcess([`bench/peers/${name}.mjs`], { ...process.env, NODE_ENV: 'production' });
const [nodeHttp, fastify, nest, usual] = await Promise.all([
  ...['node-http', 'fastify', 'nest'].map(plainPeer),
  startExpress(),
]);
const cached = await startService(servers.environment);
const uncached = await startService({ ...servers.environment, CACHE_ENABLED: 'false' });
const processes = [nodeHttp, fastify, nest, usual.peer, cached, uncached];

const [ANYBODY, API] = [[''], '/api/v1/tasks'];
const own = { tokens: [reader.token] };
const theirs = { tokens: [usual.token] };
const single = (path) => `${path}/${reader.taskId}`;
/** `usual`: the row of the usual Express service that does the same. */
const rows = [
  { name: 'node:http, a constant list of 20', of: nodeHttp, tokens: ANYBODY, path: '/tasks' },
  { name: 'Fastify, a constant list of 20', of: fastify, tokens: ANYBODY, path: '/tasks' },
  { name: 'Nest on Fastify, a constant list of 20', of: nest, tokens: ANYBODY, path: '/tasks' },
  { name: 'usual Express: list', of: usual.peer, ...theirs, path: '/tasks' },
  { name: 'usual Express: single', of: usual.peer, ...theirs, path: single('/tasks') },
  { name: 'usual Express: create', of: usual.peer, tokens: usual.writers, path: `POST /tasks ${NEW_TASK}` },
  { name: '`GET /health/live`', of: cached, tokens: ANYBODY, path: '/health/live' },
  { name: 'list, cached', of: cached, ...own, path: API, usual: 'usual Express: list' },
  { name: 'single, cached', of: cached, ...own, path: single(API), usual: 'usual Express: single' },
  { name: 'list, uncached', of: uncached, ...own, path: API, usual: 'usual Express: list' },
  { name: 'single, uncached', of: uncached, ...own, path: single(API), usual: 'usual Express: single' },
  {
    ...{ name: 'create, with all that follows', of: cached, tokens: writers, path: `POST ${API} ${NEW_TASK}` },
    ...{ usual: 'usual Express: create', settled: untilSettled },
  },
].filter(({ name }) => name.includes(ONLY) || name.includes('Fastify, a constant'));

/** Per process: what it takes while nobody asks it anything, in microseconds of processor time per second. */
const idle = new Map();

async function measureIdle() {
  await delay(START_MS);
  const before = processes.map(({ pid }) => processorTimeOf(pid));
  await delay(IDLE_MS);
  for (const [index, { pid }] of processes.entries()) {
    idle.set(pid, (processorTimeOf(pid) - before[index]) / (IDLE_MS / 1000));
  }
}

/** @returns microseconds of processor time per request */
async function measure({ of: { pid, url }, tokens, path, settled }, seconds) {
  const began = performance.now();
  const before = processorTimeOf(pid);
  const { requests } = await read(url, { tokens, paths: [path], connections: CONNECTIONS, seconds });
  await settled?.();
  const ofItself = (idle.get(pid) * (performance.now() - began)) / 1000;
  return (processorTimeOf(pid) - before - ofItself) / requests;
}

try {
  await measureIdle();
  const figures = new Map(rows.map(({ name }) => [name, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const row of rows) {
      const micros = await measure(row, round < 0 ? WARM_UP_SECONDS : SECONDS);
      if (round >= 0) figures.get(row.name).push(micros);
    }
    process.stderr.write(`round ${round + 1} of ${ROUNDS}\n`);
  }
  /** In each round by itself, since what else the machine does changes between rounds. */
  const times = (name, other) => {
    const others = figures.get(other);
    return others
      ? spread(
          figures.get(name).map((micros, round) => micros / others[round]),
          2,
        )
      : '';
  };
  console.log(
    `Node ${process.versions.node}, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, ${ROUNDS} rounds of ${SECONDS} s, ${CONNECTIONS} connections; median (least to most)\n`,
  );
  console.log('| | µs of processor time | times Fastify | times the usual Express |\n| --- | --- | --- | --- |');
  for (const { name, usual: other } of rows) {
    const cells = [
      name,
      spread(figures.get(name), 0),
      times(name, 'Fastify, a constant list of 20'),
      times(name, other),
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
} finally {
  await Promise.all(processes.map((each) => each.stop()));
  await database.close();
  await servers.stop();
}
