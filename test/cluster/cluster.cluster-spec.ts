import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startMailCatcher } from '../../local/mail-catcher.js';
import { startMongoDb } from '../../local/mongodb.js';
import { freePort } from '../../local/ports.js';
import { startRedis } from '../../local/redis.js';
import { type Nginx, startNginx } from '../deploy/support/nginx.js';
import { databaseOf } from '../support/database.js';
import { type Load, type LoadReport, startLoad } from '../support/load.js';
import { type Restartable, startRestartable } from '../support/restartable.js';
import { startService, type TestService } from '../support/service.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { Follower } from './follower.js';

const RATE = 230;
/** Each makes a notification as well. */
const WRITE_EVERY = 20;
const STEADY_MS = 60_000;
const CLIENTS = 48;
const USERS = 12;
const RECOVERY_MS = 10_000;
/** What a killed process had claimed is taken over once its lease has run out. */
const TOLD_MS = 90_000;
const GOING_AWAY = 1012;
const BROKEN_OFF = 1006;

const instances: TestService[] = [];
const cleanUps: (() => Promise<unknown>)[] = [];
const created = new Set<string>();
let mongodb: Restartable;
let redis: Restartable;
let nginx: Nginx;
let users: TestUser[];
let followers: Follower[];

beforeAll(async () => {
  mongodb = await startRestartable((context) => startMongoDb(context, {}));
  redis = await startRestartable((context) => startRedis(context, {}));
  const folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  const mailDir = join(folder, 'mail');
  const mail = await startMailCatcher(mailDir);
  Object.assign(process.env, {
    TEST_MONGODB_URI: mongodb.url,
    TEST_REDIS_URL: redis.url,
    TEST_SMTP_URL: mail.url,
    TEST_MAIL_DIR: mailDir,
    TEST_STORAGE_DIR: join(folder, 'files'),
  });
  const ports = [await freePort(), await freePort(), await freePort()];
  instances.push(await startService({ SHUTDOWN_DRAIN_SECONDS: '3', TRUST_PROXY: '1', PORT: String(ports[0]) }));
  for (const port of ports.slice(1)) instances.push(await instances[0]!.replica({ PORT: String(port) }));
  nginx = await startNginx(ports, {
    // One address sends all of the load.
    changes: [
      ['rate=50r/s', 'rate=100000r/s'],
      ['burst=100 nodelay', 'burst=10000 nodelay'],
    ],
  });
  users = [];
  for (let count = 0; count < USERS; count += 1) users.push(await registerUser(instances[0]!));
  followers = users.map(({ api }) => new Follower(`http://127.0.0.1:${nginx.port}`, api.accessToken!));
  cleanUps.push(
    () => Promise.all(followers.map((follower) => follower.stop())),
    () => nginx.stop(),
    () => mongodb.stop(),
    () => redis.stop(),
    () => mail.stop(),
    async () => rmSync(folder, { recursive: true, force: true }),
  );
}, 300_000);
// After those of the support modules, which end the instances and drop their database.
afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);

function load(): Load {
  const tokens = users.map(({ api }) => api.accessToken!);
  followers.forEach(({ closes, refusals }) => (closes.length = refusals.length = 0));
  return startLoad({
    url: `http://127.0.0.1:${nginx.port}`,
    tokens,
    clients: CLIENTS,
    rate: RATE,
    writeEvery: WRITE_EVERY,
  });
}

/** Ends the load; what was acknowledged by then has to reach the followers, too. */
async function finish(running: Load, what: string): Promise<LoadReport> {
  const report = await running.stop();
  for (const id of report.created) created.add(id);
  const { statuses, failures, problems, seconds } = report;
  const total = Object.values(statuses).reduce((sum, count) => sum + count, 0) + failures.length;
  const known = [...failures, ...problems].map(({ method, reason }) => `${method} ${reason}`);
  const told = await timeToTell(report.created);
  const figures = {
    ...{ seconds: Math.round(seconds), rate: Math.round(total / seconds), statuses, failed: countOf(known) },
    ...{ closes: countOf(closes()), refusals: countOf(refusals()), toldAfterMs: Math.round(told), load: loadavg() },
  };
  process.stdout.write(`${what}: ${JSON.stringify(figures)}\n`);
  return report;
}

async function timeToTell(ids: readonly string[]): Promise<number> {
  const began = performance.now();
  const missing = () => ids.filter((id) => !followers.some(({ tasks }) => tasks.has(id)));
  await waitFor('the followers to be told of all that was done', () => missing().length === 0, TOLD_MS);
  return performance.now() - began;
}

const closes = () => followers.flatMap((follower) => follower.closes);
const refusals = () => followers.flatMap((follower) => follower.refusals);

function countOf(values: (string | number)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
}

const ready = async ({ url }: TestService) => (await fetch(`${url}/health/ready`)).status === 200;
const restart = async (instance: TestService) => {
  await instance.start();
  await waitFor('readiness', () => ready(instance), 60_000);
};

it('replaces all instances one by one without a failed request', async () => {
  const running = load();
  const until = performance.now() + STEADY_MS;
  await delay(3000);
  for (const instance of instances) {
    instance.terminate();
    expect(await instance.waitForExit()).toBe(0);
    await restart(instance);
    // NGINX leaves alone for 10 s what was away, and knows no readiness (docs/deploy.md).
    await delay(10_000);
  }
  await delay(Math.max(0, until - performance.now()));
  const { statuses, failures, problems, seconds } = await finish(running, 'rolling restart');
  expect([...failures, ...problems]).toEqual([]);
  expect([new Set(closes()), refusals()]).toEqual([new Set([GOING_AWAY]), []]);
  expect(Object.keys(statuses)).toEqual(['200', '201']);
  expect((statuses[200]! + statuses[201]!) / seconds).toBeGreaterThanOrEqual(200);
});

it('loses only what a killed instance had in hand', async () => {
  const running = load();
  await delay(5000);
  const killedAt = performance.now();
  await instances[1]!.kill();
  await delay(5000);
  await restart(instances[1]!);
  await delay(2000);
  const { statuses, failures, problems } = await finish(running, 'kill -9 of an instance');
  expect(failures).toEqual([]);
  // NGINX repeats what is safe to repeat; of the rest it says that nobody answered.
  expect(problems.filter(({ method, reason }) => method !== 'POST' || !reason.startsWith('503 '))).toEqual([]);
  expect(problems.length).toBeLessThanOrEqual(CLIENTS);
  for (const { at } of problems) expect(at - killedAt).toBeLessThan(1000);
  expect(statuses[200]).toBeGreaterThan(0);
  expect(statuses[201]).toBeGreaterThan(0);
  expect([new Set(closes()), refusals()]).toEqual([new Set([BROKEN_OFF]), []]);
});

it.each([
  ['MongoDB', () => mongodb],
  ['Redis', () => redis],
] as const)('outlives a kill -9 of %s, and recovers by itself', async (name, server) => {
  const running = load();
  await delay(3000);
  await server().kill();
  await delay(4000);
  await server().start();
  const back = performance.now();
  await waitFor(
    'all instances to be ready',
    async () => (await Promise.all(instances.map(ready))).every(Boolean),
    60_000,
  );
  await waitFor('a write to be answered', async () => {
    const { status } = await users[0]!.api.at(instances[0]!).post('/api/v1/tasks', { title: 'After' });
    return status === 201;
  });
  const recovery = performance.now() - back;
  await delay(3000);
  const what = `kill -9 of ${name}, recovered after ${Math.round(recovery)} ms`;
  const { failures, problems } = await finish(running, what);
  expect(recovery).toBeLessThan(RECOVERY_MS);
  // Answers said what was the matter; no connection broke, since no process died.
  expect(failures).toEqual([]);
  expect(problems.filter(({ reason }) => !reason.startsWith('503 '))).toEqual([]);
  for (const instance of instances) expect(instance.isRunning).toBe(true);
});

it('has kept every write that it acknowledged', async () => {
  const stored = await databaseOf(instances[0]!).collection('tasks').find({}).project({ _id: 1 }).toArray();
  const found = new Set(stored.map(({ _id }) => String(_id)));
  expect(created.size).toBeGreaterThan(500);
  expect([...created].filter((id) => !found.has(id))).toEqual([]);
});
