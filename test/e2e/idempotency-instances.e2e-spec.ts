import { randomInt, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient, ApiResponse, PageOf } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { startOwnRedis } from '../support/redis.js';
import { startService, type TestService } from '../support/service.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser } from '../support/users.js';

const PARALLEL = 100;
const WRITERS = 24;
/** Between a writer's requests while an instance starts: leaves it the processor. */
const PAUSE_MS = 500;
/** A small copy of what `npm run test:scale` does. */
const isFull = process.env['TEST_SCALE'] === 'full';
const KILLS = isFull ? 8 : 3;
const KEYS = isFull ? 200 : 80;
const OVERTAKINGS = isFull ? 60 : 25;
/** A busy machine may take that long to start an instance. */
const PATIENCE_MS = 120_000;

let instances: TestService[];
beforeAll(async () => {
  const redis = await startOwnRedis();
  const first = await startService({ REDIS_URL: redis.url });
  instances = [first, ...(await Promise.all([first.replica(), first.replica()]))];
  redis.kill(); // what is promised here hangs on MongoDB alone
}, 300_000);

const instance = (number: number) => instances[number % instances.length] as TestService;
const records = () => databaseOf(instance(0)).collection('idempotencykeys');

function create(api: ApiClient, title: string, key: string): Promise<ApiResponse<TaskBody>> {
  return api.post<TaskBody>(TASKS, { title }, { 'Idempotency-Key': key });
}

/** Sends the request to one instance after the other until it is answered 201. */
async function insist(api: ApiClient, title: string, key: string): Promise<ApiResponse<TaskBody> & { lost: boolean }> {
  const deadline = Date.now() + PATIENCE_MS;
  let lost = false;
  for (let attempt = randomInt(3); Date.now() < deadline; attempt++) {
    try {
      const answer = await create(api.at(instance(attempt)), title, key);
      if (answer.status === 201) return { ...answer, lost };
      if (![409, 503].includes(answer.status)) throw new Error(`answered ${answer.status}`);
    } catch (error) {
      if ((error as Error).message.startsWith('answered')) throw error;
      lost = true; // no instance there, or none any more
    }
    await delay(20);
  }
  throw new Error(`no answer for ${title} in time`);
}

async function allTasks(api: ApiClient): Promise<TaskBody[]> {
  const rows: TaskBody[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const suffix: string = cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { body }: ApiResponse<PageOf<TaskBody>> = await api.get(`${TASKS}?limit=100${suffix}`);
    rows.push(...body.data);
    cursor = body.page.nextCursor;
  }
  return rows;
}

it('of 100 equal requests at once at three instances, one creates; the others get its answer or 409', async () => {
  const { api } = await registerUser(instance(0));
  const key = randomUUID();
  const answers = await Promise.all(
    Array.from({ length: PARALLEL }, (_, number) => create(api.at(instance(number)), 'Only one', key)),
  );
  const made = answers.filter(({ status }) => status === 201);
  expect(answers.filter(({ status }) => ![201, 409].includes(status))).toEqual([]);
  expect(made.filter(({ headers }) => !headers.has('Idempotency-Replayed'))).toHaveLength(1);
  expect(new Set(made.map(({ body }) => body.id)).size).toBe(1);
  expect(await allTasks(api)).toHaveLength(1);
});

it('an instance that is overtaken while it works commits nothing', async () => {
  const { api } = await registerUser(instance(0));
  // For a while all leases run out, again and again: whoever comes takes over from whoever works.
  const impatient = (async () => {
    for (let time = 0; time < OVERTAKINGS; time++) {
      await records().updateMany({ answer: null }, { $set: { leaseUntil: new Date(0) } });
      await delay(50);
    }
  })();
  const keys = Array.from({ length: 20 }, () => randomUUID());
  const answers = await Promise.all(
    keys.flatMap((key) => Array.from({ length: 5 }, () => insist(api, `Raced ${key}`, key))),
  );
  await impatient;
  const tasks = await allTasks(api);
  expect(tasks.map(({ title }) => title).sort()).toEqual(keys.map((key) => `Raced ${key}`).sort());
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(keys.length);
}, 300_000);

it('creates one task a key, however often instances are killed in the middle', async () => {
  const { api } = await registerUser(instance(0));
  const answered = new Map<string, string>();
  let kills = 0;
  let starting = false;
  let replayedAfterLoss = 0;
  const write = async () => {
    while (kills < KILLS || answered.size < KEYS) {
      const title = `Task ${randomUUID()}`;
      const { body, headers, lost } = await insist(api, title, randomUUID());
      answered.set(title, body.id);
      if (lost && headers.has('Idempotency-Replayed')) replayedAfterLoss++;
      if (starting) await delay(PAUSE_MS);
    }
  };
  const kill = async () => {
    while (kills < KILLS) {
      await delay(PAUSE_MS + randomInt(300)); // all writers are at work again
      const victim = instance(kills);
      await victim.kill();
      // Retries needn't wait for the leases of the dead. The living lose theirs too, and mustn't create twice for it.
      await records().updateMany({ answer: null }, { $set: { leaseUntil: new Date(0) } });
      kills++;
      starting = true;
      await victim.start();
      starting = false;
    }
  };
  await Promise.all([kill(), ...Array.from({ length: WRITERS }, write)]);

  const tasks = await allTasks(api);
  const found = new Map(tasks.map(({ title, id }) => [title, id]));
  expect(tasks).toHaveLength(answered.size);
  expect(found).toEqual(answered);
  expect(answered.size).toBeGreaterThanOrEqual(KEYS);
  console.log({ keys: answered.size, kills, replayedAfterLoss });
}, 600_000);

it("takes a dead instance's request over once its lease has run out, by itself", async () => {
  const { api } = await registerUser(instance(0));
  const key = randomUUID();
  await create(api, 'Left behind', key);
  const { deletedCount } = await databaseOf(instance(0)).collection('tasks').deleteOne({ title: 'Left behind' });
  expect(deletedCount).toBe(1);
  // As a crash before the commit leaves it.
  await records().updateMany({}, { $set: { answer: null, leaseUntil: new Date(Date.now() + 1000) } });
  expect((await create(api, 'Left behind', key)).status).toBe(409);
  const { status, headers } = await insist(api, 'Left behind', key);
  expect([status, headers.get('Idempotency-Replayed')]).toEqual([201, null]);
}, 300_000);
