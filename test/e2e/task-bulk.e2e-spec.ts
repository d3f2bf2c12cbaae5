import { ObjectId } from 'mongodb';
import type { PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const BULK = `${TASKS}/bulk`;
const UNKNOWN_ID = '0123456789abcdef01234567';

interface Result {
  status: number;
  id: string | null;
  task?: TaskBody;
  problem?: Problem;
}

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
});
beforeEach(async () => {
  user = await registerUser(service);
});

async function bulk(...operations: unknown[]): Promise<Result[]> {
  const { status, body } = await user.api.post<{ results: Result[] }>(BULK, { operations });
  expect(status).toBe(200);
  return body.results;
}

const totalOf = async ({ api }: TestUser) => (await api.get<{ total: number }>(`${TASKS}/stats`)).body.total;

describe('many operations in one request', () => {
  it('are answered in order, each with what it alone would have been', async () => {
    const [changed, deleted] = [await createTask(user.api), await createTask(user.api)];
    const results = await bulk(
      { op: 'create', task: { title: 'New', tags: ['a'] } },
      { op: 'update', id: changed.id, changes: { status: 'done' } },
      { op: 'delete', id: deleted.id },
    );
    expect(results.map(({ status }) => status)).toEqual([201, 200, 204]);
    expect(results[0]).toMatchObject({ id: results[0]?.task?.id, task: { title: 'New', tags: ['a'], version: 1 } });
    expect(results[1]).toMatchObject({ id: changed.id, task: { id: changed.id, status: 'done', version: 2 } });
    expect(results[2]).toEqual({ status: 204, id: deleted.id });
    const { body } = await user.api.get<PageOf<TaskBody>>(TASKS);
    expect(new Set(body.data.map(({ id }) => id))).toEqual(new Set([changed.id, results[0]?.id]));
    for (const { task } of results.slice(0, 2)) {
      expect((await user.api.get(`${TASKS}/${task?.id}`)).body).toEqual(task);
    }
  });

  it('fail one by one: what is wrong with one keeps no other from being done', async () => {
    const stranger = await registerUser(service);
    const theirs = await createTask(stranger.api);
    const results = await bulk(
      { op: 'create', task: { title: '' } },
      { op: 'create', task: { title: 'Right' } },
      { op: 'create' },
      { op: 'create', task: { title: 'T', owner: UNKNOWN_ID } },
      { op: 'create', task: { title: 'half a character: \ud83d' } },
      { op: 'create', task: { title: 'T', constructor: 1 } },
      { op: 'update', id: theirs.id, changes: { title: 'Mine' } },
      { op: 'delete', id: theirs.id },
      { op: 'delete', id: UNKNOWN_ID },
      { op: 'delete', id: 'nonsense' },
      { op: 'delete', id: 7 },
      { op: 'update', id: UNKNOWN_ID },
      { op: 'create', task: [] },
      { op: 'create', task: [{ title: 'T' }] },
      { op: 'create', task: 'T' },
      { op: 'update', id: UNKNOWN_ID, changes: [] },
      { op: 'replace', id: UNKNOWN_ID },
      { op: 'toString' },
      { op: 'delete', id: UNKNOWN_ID, force: true },
      null,
      'delete',
      [],
      {},
    );
    expect(results.map(({ status }) => status)).toEqual([
      400, 201, 400, 400, 400, 400, 404, 404, 404, 404, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400, 400,
    ]);
    const fields = results.map(({ problem }) => problem?.errors?.map(({ field }) => field).join());
    expect(fields.filter((field) => field !== undefined)).toEqual([
      'task.title',
      'task',
      'task.owner',
      'task.title',
      'task.constructor',
      'id',
      'changes',
      'task',
      'task',
      'task',
      'changes',
      'op',
      'op',
      'force',
      'op',
      'op',
      'op',
      'op',
    ]);
    expect(results[6]).toEqual({
      status: 404,
      id: theirs.id,
      problem: expect.objectContaining({ status: 404, code: 'NOT_FOUND', instance: BULK }) as Problem,
    });
    expect(results[0]?.id).toBeNull();
    expect(await totalOf(user)).toBe(1);
    expect((await stranger.api.get(`${TASKS}/${theirs.id}`)).body).toEqual(theirs);
  });

  it('see what those before them did', async () => {
    const { id } = await createTask(user.api, { title: 'First' });
    const results = await bulk(
      { op: 'update', id, changes: { title: 'Second' } },
      { op: 'update', id, changes: { title: 'Second' } },
      { op: 'update', id, changes: { priority: 'urgent' } },
      { op: 'delete', id },
      { op: 'update', id, changes: { title: 'Third' } },
      { op: 'delete', id },
    );
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200, 204, 404, 404]);
    expect(results.slice(0, 3).map(({ task }) => task?.version)).toEqual([2, 2, 3]);
    await user.api.post(`${TASKS}/${id}/restore`);
    expect((await user.api.get(`${TASKS}/${id}`)).body).toMatchObject({ title: 'Second', priority: 'urgent' });
    const { body } = await user.api.get<PageOf<{ changes: { field: string }[] }>>(`${TASKS}/${id}/history`);
    expect(body.data.map(({ changes }) => changes[0]?.field)).toEqual(['deletedAt', 'deletedAt', 'priority', 'title']);
  });

  it('may be a hundred, of which each leaves its events', async () => {
    const created = await bulk(
      ...Array.from({ length: 100 }, (_, index) => ({ op: 'create', task: { title: `T ${index}`, status: 'done' } })),
    );
    expect(created.map(({ task }) => task?.title)).toEqual(Array.from({ length: 100 }, (_, index) => `T ${index}`));
    expect(await totalOf(user)).toBe(100);
    const results = await bulk(
      ...created.map(({ id }, index) =>
        index % 2 ? { op: 'delete', id } : { op: 'update', id, changes: { tags: ['x'] } },
      ),
    );
    expect(new Set(results.map(({ status }) => status))).toEqual(new Set([200, 204]));
    expect(await totalOf(user)).toBe(50);
    const notified = { user: new ObjectId(user.id), event: 'task.completed' };
    const notifications = databaseOf(service).collection('notifications');
    await waitFor(
      'each completion to notify',
      async () => (await notifications.countDocuments(notified)) === 100,
      60_000,
    );
  });

  it('of two requests at once are both done', async () => {
    const { id } = await createTask(user.api);
    const change = (title: string) => bulk({ op: 'update', id, changes: { title } });
    const answers = await Promise.all(Array.from({ length: 6 }, (_, index) => change(`writer ${index}`)));
    expect(answers.map(([result]) => result?.task?.version).sort()).toEqual([2, 3, 4, 5, 6, 7]);
  });

  it.each([
    ['nothing', {}, 'operations'],
    ['no operation', { operations: [] }, 'operations'],
    [
      '101 operations',
      { operations: Array.from({ length: 101 }, () => ({ op: 'delete', id: UNKNOWN_ID })) },
      'operations',
    ],
    ['something else', { operations: 'all' }, 'operations'],
    ['another field', { operations: [{ op: 'delete', id: UNKNOWN_ID }], atomic: true }, 'atomic'],
  ])('are refused as a whole where there is %s', async (_, body, field) => {
    const answer = await user.api.post<Problem>(BULK, body);
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.body.errors?.map((error) => error.field)).toEqual([field]);
  });
});
