import { setTimeout as delay } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import type { ApiClient } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { allOf } from '../support/pages.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface NotificationBody {
  event: string;
  title: string;
  body: string;
  data: { taskId: string; remindAt?: string; dueDate?: string };
  createdAt: string;
}

const PATIENCE_MS = 60_000;
const MOST_IN_BULK = 100;
const inMs = (ms: number) => new Date(Date.now() + ms).toISOString();
const INBOX = '/api/v1/notifications';
const notificationsOf = (api: ApiClient) => allOf<NotificationBody>(api, INBOX);
const numberTold = async (api: ApiClient) => (await api.get<{ count: number }>(`${INBOX}/unread-count`)).body.count;

/** What was told of a task, the first first. */
async function toldOf(api: ApiClient, taskId: string): Promise<[string, string | undefined][]> {
  const notifications = await notificationsOf(api);
  return notifications
    .filter(({ data }) => data.taskId === taskId)
    .map(({ event, data }): [string, string | undefined] => [
      event,
      event === 'task.reminder' ? data.remindAt : data.dueDate,
    ])
    .reverse();
}

/** Waits until an alarm has rung that comes after all that are due so far. */
async function untilAllHaveRung(api: ApiClient): Promise<void> {
  const { id } = await createTask(api, { title: 'The last', remindAt: inMs(500) });
  await waitFor('the last alarm', async () => (await toldOf(api, id)).length === 1, PATIENCE_MS);
}

/** As many tasks, made in bulk. */
async function createTasks(api: ApiClient, count: number, fields: object): Promise<string[]> {
  const ids: string[] = [];
  while (ids.length < count) {
    const operations = Array.from({ length: MOST_IN_BULK }, () => ({
      op: 'create',
      task: { title: 'One of many', ...fields },
    }));
    const { body } = await api.post<{ results: { id: string }[] }>(`${TASKS}/bulk`, { operations });
    ids.push(...body.results.map(({ id }) => id));
  }
  return ids.sort();
}

let service: TestService;
let api: ApiClient;

beforeAll(async () => {
  service = await startService();
  ({ api } = await registerUser(service));
});

describe('a reminder', () => {
  it('is notified within seconds of its time, with its details', async () => {
    const remindAt = inMs(1500);
    const task = await createTask(api, { title: 'Call', remindAt, dueDate: inMs(3_600_000) });
    const notification = await waitFor(
      'the reminder',
      async () => (await notificationsOf(api)).find(({ data }) => data.taskId === task.id),
      PATIENCE_MS,
    );
    expect(notification).toMatchObject({
      event: 'task.reminder',
      title: 'Reminder',
      data: { taskId: task.id, title: 'Call', remindAt, dueDate: task.dueDate },
    });
    expect(notification.body).toContain('“Call”');
    expect(notification.createdAt >= remindAt).toBe(true);
    expect(await api.get(`${TASKS}/${task.id}`)).toMatchObject({ status: 200, body: task });
  });

  it('whose time has passed already is notified at once', async () => {
    const { id } = await createTask(api, { remindAt: inMs(-86_400_000) });
    await waitFor('the reminder', async () => (await toldOf(api, id)).length === 1, PATIENCE_MS);
  });

  it('is notified at the time it was moved to, and again when it is moved after that', async () => {
    const { id } = await createTask(api, { remindAt: inMs(1000) });
    const second = inMs(2000);
    await api.patch(`${TASKS}/${id}`, { remindAt: second });
    await waitFor('the reminder', async () => (await toldOf(api, id)).length > 0, PATIENCE_MS);
    expect(await toldOf(api, id)).toEqual([['task.reminder', second]]);
    await api.patch(`${TASKS}/${id}`, { title: 'Another title', status: 'archived' });
    await api.patch(`${TASKS}/${id}`, { status: 'todo' });
    await untilAllHaveRung(api);
    expect(await toldOf(api, id)).toHaveLength(1);
    const third = inMs(500);
    await api.patch(`${TASKS}/${id}`, { remindAt: third });
    await waitFor('the next reminder', async () => (await toldOf(api, id)).length > 1, PATIENCE_MS);
    expect(await toldOf(api, id)).toEqual([
      ['task.reminder', second],
      ['task.reminder', third],
    ]);
  });

  it('is not notified where it was removed, or the task is done, archived or deleted by then', async () => {
    /** Says no more where the machine was too slow for it: then it is told more time ahead. */
    const takeBack = async (aheadMs: number): Promise<string[]> => {
      const fields = { remindAt: inMs(aheadMs), dueDate: inMs(aheadMs) };
      const ids = await Promise.all(Array.from({ length: 5 }, async () => (await createTask(api, fields)).id));
      const [, cleared, done, archived, deleted] = ids;
      await api.patch(`${TASKS}/${cleared}`, { remindAt: null, dueDate: null });
      await api.patch(`${TASKS}/${done}`, { status: 'done' });
      await api.patch(`${TASKS}/${archived}`, { status: 'archived' });
      await api.delete(`${TASKS}/${deleted}`);
      return Date.now() < Date.parse(fields.remindAt) ? ids : await takeBack(aheadMs * 2);
    };
    const [kept, cleared, done, archived, deleted] = await takeBack(2000);
    await waitFor('the one that stayed', async () => (await toldOf(api, kept as string)).length === 2, PATIENCE_MS);
    await untilAllHaveRung(api);
    expect(await toldOf(api, cleared as string)).toEqual([]);
    expect((await toldOf(api, done as string)).map(([event]) => event)).toEqual(['task.completed']);
    expect(await toldOf(api, archived as string)).toEqual([]);
    expect(await toldOf(api, deleted as string)).toEqual([]);
  });
});

it('is notified where the task was created in bulk, or restored', async () => {
  const remindAt = inMs(2000);
  const operations = [{ op: 'create', task: { title: 'One of many', remindAt } }];
  const bulk = await api.post<{ results: { id: string }[] }>(`${TASKS}/bulk`, { operations });
  const restored = await createTask(api, { remindAt });
  await api.delete(`${TASKS}/${restored.id}`);
  await api.post(`${TASKS}/${restored.id}/restore`);
  for (const id of [bulk.body.results[0]?.id as string, restored.id]) {
    await waitFor('the reminder', async () => (await toldOf(api, id)).length > 0, PATIENCE_MS);
    expect(await toldOf(api, id)).toEqual([['task.reminder', remindAt]]);
  }
});

describe('a due date', () => {
  it('is notified once when it has passed, and once more when it is moved', async () => {
    const first = inMs(500);
    const { id } = await createTask(api, { dueDate: first });
    await waitFor('the notification', async () => (await toldOf(api, id)).length > 0, PATIENCE_MS);
    await untilAllHaveRung(api);
    expect(await toldOf(api, id)).toEqual([['task.overdue', first]]);
    const second = inMs(500);
    await api.patch(`${TASKS}/${id}`, { dueDate: second });
    await waitFor('the next notification', async () => (await toldOf(api, id)).length > 1, PATIENCE_MS);
    expect(await toldOf(api, id)).toEqual([
      ['task.overdue', first],
      ['task.overdue', second],
    ]);
  });

  it('leaves nothing planned once all is notified', async () => {
    const alarms = databaseOf(service).collection('taskalarms');
    const { id } = await createTask(api, { dueDate: inMs(300), remindAt: inMs(100) });
    await waitFor('both', async () => (await toldOf(api, id)).length === 2, PATIENCE_MS);
    expect(await alarms.countDocuments({ availableAt: { $lt: new Date() } })).toBe(0);
  });
});

it('is not delayed by thousands of another user that were due before', async () => {
  const alarms = databaseOf(service).collection('taskalarms');
  const user = new ObjectId();
  const due = new Date();
  // Without tasks, so there is nothing to tell; they take their time all the same.
  const rest = { user, state: 'ready', availableAt: due, createdAt: due, lease: null, attempts: 0, lastError: null };
  await alarms.insertMany(Array.from({ length: 3000 }, () => ({ ...rest, traceparent: null })));
  const { id } = await createTask(api, { remindAt: inMs(100) });
  await waitFor('the reminder', async () => (await toldOf(api, id)).length > 0, PATIENCE_MS);
  const { deletedCount } = await alarms.deleteMany({ user });
  expect(deletedCount).toBeGreaterThan(500);
}, 120_000);

it('is notified late, and once, where no process was running when it was due', async () => {
  const own = await startService();
  const owner = await registerUser(own);
  const remindAt = inMs(1500);
  const { id } = await createTask(owner.api, { remindAt });
  await own.kill();
  await delay(Math.max(0, Date.parse(remindAt) - Date.now()) + 500);
  await own.start();
  await waitFor('the reminder', async () => (await toldOf(owner.api, id)).length > 0, PATIENCE_MS);
  await untilAllHaveRung(owner.api);
  expect(await toldOf(owner.api, id)).toEqual([['task.reminder', remindAt]]);
}, 120_000);

describe('on three instances', () => {
  let instances: TestService[];

  beforeAll(async () => {
    const first = await startService();
    instances = [first, await first.replica(), await first.replica()];
  }, 120_000);

  it('sends each of 200 reminders that are due at once a single time', async () => {
    const owner = await registerUser(instances[0] as TestService);
    const ids = await createTasks(owner.api, 200, { remindAt: inMs(5000) });
    await waitFor('all reminders', async () => (await numberTold(owner.api)) >= ids.length, 120_000);
    const notified = await notificationsOf(owner.api);
    expect(notified.map(({ data }) => data.taskId).sort()).toEqual(ids);
    await untilAllHaveRung(owner.api);
    expect(await notificationsOf(owner.api)).toHaveLength(ids.length + 1);
    // That more than one of them had a share in it:
    const metrics = await Promise.all(
      instances.map(async ({ metricsUrl }) => (await fetch(metricsUrl + '/metrics')).text()),
    );
    const shares = metrics.map((text) =>
      Number(/work_finished_total\{queue="task-alarms",outcome="done"\} (\d+)/.exec(text)?.[1] ?? 0),
    );
    expect(shares.filter((share) => share > 0).length).toBeGreaterThan(1);
  }, 240_000);

  it('notifies of each once though two of them are killed in the middle', async () => {
    const [first, ...others] = instances as [TestService, ...TestService[]];
    const owner = await registerUser(first);
    const ids = await createTasks(owner.api, 200, { remindAt: inMs(5000) });
    await waitFor('the first ones', async () => (await numberTold(owner.api)) > 20, PATIENCE_MS);
    await Promise.all(others.map((instance) => instance.kill()));
    // What the dead held comes due when their leases run out: an operator needn't wait for that.
    const database = databaseOf(first);
    for (const name of ['taskalarms', 'outbox']) {
      await database.collection(name).updateMany({ lease: { $ne: null } }, { $set: { availableAt: new Date(0) } });
    }
    await waitFor('the rest', async () => (await numberTold(owner.api)) >= ids.length, 120_000);
    await untilAllHaveRung(owner.api);
    const told = (await notificationsOf(owner.api)).map(({ data }) => data.taskId);
    expect(told).toHaveLength(ids.length + 1);
    expect(new Set(told).size).toBe(ids.length + 1);
  }, 240_000);
});
