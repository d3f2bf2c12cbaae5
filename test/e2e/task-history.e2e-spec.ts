import { ObjectId } from 'mongodb';
import type { PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const UNKNOWN_ID = '0123456789abcdef01234567';
const DAY_MS = 24 * 3_600_000;

interface Change {
  id: string;
  at: string;
  actorId: string;
  changes: { field: string; from: unknown; to: unknown }[];
}

let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
});

async function historyOf(id: string, query = ''): Promise<PageOf<Change>> {
  const { status, body } = await user.api.get<PageOf<Change>>(`${TASKS}/${id}/history${query}`);
  expect(status).toBe(200);
  return body;
}

describe('the history of a task', () => {
  it('is empty until something changes', async () => {
    const { id } = await createTask(user.api);
    expect(await historyOf(id)).toEqual({ data: [], page: { limit: 20, hasMore: false, nextCursor: null } });
    await user.api.patch(`${TASKS}/${id}`, { title: 'Write the report' });
    expect((await historyOf(id)).data).toEqual([]);
  });

  it('says who changed what, when, and from what to what, newest first', async () => {
    const { id } = await createTask(user.api, { tags: ['a'] });
    const changed = { title: 'New', priority: 'urgent', tags: [], dueDate: '2031-01-01T00:00:00.000Z' };
    const first = (await user.api.patch<TaskBody>(`${TASKS}/${id}`, changed)).body;
    const second = (await user.api.patch<TaskBody>(`${TASKS}/${id}`, { status: 'done', dueDate: null })).body;
    const { data } = await historyOf(id);
    const common = { id: expect.stringMatching(/^[0-9a-f]{24}$/) as string, actorId: user.id };
    expect(data).toEqual([
      {
        ...common,
        at: second.updatedAt,
        changes: [
          { field: 'status', from: 'todo', to: 'done' },
          { field: 'dueDate', from: '2031-01-01T00:00:00.000Z', to: null },
          { field: 'completedAt', from: null, to: second.completedAt },
        ],
      },
      {
        ...common,
        at: first.updatedAt,
        changes: [
          { field: 'title', from: 'Write the report', to: 'New' },
          { field: 'priority', from: 'medium', to: 'urgent' },
          { field: 'tags', from: ['a'], to: [] },
          { field: 'dueDate', from: null, to: '2031-01-01T00:00:00.000Z' },
        ],
      },
    ]);
  });

  it('comes in pages, whose cursors belong to this task', async () => {
    const { id } = await createTask(user.api);
    const other = await createTask(user.api);
    for (let turn = 1; turn <= 5; turn++) await user.api.patch(`${TASKS}/${id}`, { title: `Title ${turn}` });
    const titles: unknown[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: PageOf<Change> = await historyOf(id, `?limit=2${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
      titles.push(...page.data.map(({ changes }) => changes[0]?.to));
      cursor = page.page.nextCursor;
      if (cursor) {
        const path = `${TASKS}/${other.id}/history?cursor=${encodeURIComponent(cursor)}`;
        expect((await user.api.get(path)).status).toBe(400);
      }
    }
    expect(titles).toEqual(['Title 5', 'Title 4', 'Title 3', 'Title 2', 'Title 1']);
  });

  it('has each of ten changes at once, and nothing of one that was refused', async () => {
    const { id } = await createTask(user.api);
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => user.api.patch(`${TASKS}/${id}`, { title: `T${index}` })),
    );
    await user.api.patch(`${TASKS}/${id}`, { title: 'Refused' }, { 'If-Match': '"1"' });
    const { data } = await historyOf(id);
    expect(data).toHaveLength(10);
    // Each begins where the one before ended.
    const steps = data.reverse().map(({ changes }) => changes[0]);
    expect(steps.slice(1).map((step) => step?.from)).toEqual(steps.slice(0, -1).map((step) => step?.to));
  });

  it("is not another user's to see", async () => {
    const { id } = await createTask(user.api);
    const stranger = await registerUser(service);
    expect((await stranger.api.get(`${TASKS}/${id}/history`)).status).toBe(404);
    expect((await user.api.get(`${TASKS}/${UNKNOWN_ID}/history`)).status).toBe(404);
    expect((await user.api.get(`${TASKS}/nonsense/history`)).status).toBe(404);
  });

  it('is in the export, and goes with its owner', async () => {
    const owner = await registerUser(service);
    const { id } = await createTask(owner.api, { title: 'Before' });
    const { id: deletedId } = await createTask(owner.api, { title: 'Deleted' });
    await owner.api.patch(`${TASKS}/${id}`, { title: 'After' });
    await owner.api.delete(`${TASKS}/${deletedId}`);
    const { body } = await owner.api.get<{ data: { tasks: Record<string, unknown> } }>('/api/v1/users/me/export');
    expect(body.data.tasks).toMatchObject({
      tasks: [{ id, title: 'After' }],
      deletedTasks: [{ id: deletedId, title: 'Deleted', deletedAt: expect.stringMatching(/Z$/) as string }],
    });
    expect(body.data.tasks['history']).toHaveLength(2);
    expect((await owner.api.send('DELETE', '/api/v1/users/me', { password: owner.password })).status).toBe(204);
    const database = databaseOf(service);
    await waitFor('everything of the user is gone', async () => {
      const counts = ['tasks', 'deletedtasks', 'taskchanges'].map((name) =>
        database.collection(name).countDocuments({ user: new ObjectId(owner.id) }),
      );
      return (await Promise.all(counts)).every((count) => count === 0);
    });
  });
});

describe('restoring a task', () => {
  it('brings it back as it was, with its history, as a further version', async () => {
    const task = await createTask(user.api, { tags: ['a'], dueDate: '2031-01-01T00:00:00.000Z' });
    const { body: before } = await user.api.patch<TaskBody>(`${TASKS}/${task.id}`, { title: 'Changed' });
    await user.api.delete(`${TASKS}/${task.id}`);
    const { status, headers, body } = await user.api.post<TaskBody>(`${TASKS}/${task.id}/restore`);
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"4"');
    expect(body).toEqual({ ...before, version: 4, updatedAt: body.updatedAt });
    expect((await user.api.get(`${TASKS}/${task.id}`)).body).toEqual(body);
    const { data } = await historyOf(task.id);
    expect(data.map(({ changes }) => changes.map(({ field }) => field))).toEqual([
      ['deletedAt'],
      ['deletedAt'],
      ['title'],
    ]);
    expect(data[0]?.changes[0]).toMatchObject({ from: data[1]?.at, to: null });
    const kept = { task: new ObjectId(task.id), deletedAt: { $ne: null } };
    expect(await databaseOf(service).collection('taskchanges').countDocuments(kept)).toBe(0);
  });

  it('puts it back into lists and statistics', async () => {
    const owner = await registerUser(service);
    const task = await createTask(owner.api);
    await owner.api.delete(`${TASKS}/${task.id}`);
    const total = async () => (await owner.api.get<{ total: number }>(`${TASKS}/stats`)).body.total;
    const listed = async () => (await owner.api.get<PageOf<TaskBody>>(TASKS)).body.data.map(({ id }) => id);
    expect([await total(), await listed()]).toEqual([0, []]);
    await owner.api.post(`${TASKS}/${task.id}/restore`);
    expect([await total(), await listed()]).toEqual([1, [task.id]]);
  });

  it("returns a task that isn't deleted as it is", async () => {
    const task = await createTask(user.api);
    const { status, headers, body } = await user.api.post<TaskBody>(`${TASKS}/${task.id}/restore`);
    expect([status, headers.get('etag'), body]).toEqual([200, '"1"', task]);
    expect((await historyOf(task.id)).data).toEqual([]);
  });

  it("answers 404 for what isn't there, or is another user's", async () => {
    const stranger = await registerUser(service);
    const { id: deletedId } = await createTask(user.api);
    await user.api.delete(`${TASKS}/${deletedId}`);
    const attempts = [
      user.api.post<Problem>(`${TASKS}/${UNKNOWN_ID}/restore`),
      user.api.post<Problem>(`${TASKS}/nonsense/restore`),
      stranger.api.post<Problem>(`${TASKS}/${deletedId}/restore`),
    ];
    for (const { status, body } of await Promise.all(attempts)) expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    expect((await user.api.post(`${TASKS}/${deletedId}/restore`)).status).toBe(200);
  });

  it('is done once by several requests at once', async () => {
    const { id } = await createTask(user.api);
    await user.api.delete(`${TASKS}/${id}`);
    const restore = () => user.api.post<TaskBody>(`${TASKS}/${id}/restore`);
    const answers = await Promise.all(Array.from({ length: 5 }, restore));
    expect(answers.map(({ status, body }) => [status, body.version])).toEqual(Array(5).fill([200, 3]));
  });

  it.each([
    [29.99, 200],
    [30.01, 404],
  ])('%d days after the deletion is answered %d', async (days, expected) => {
    const { id } = await createTask(user.api);
    await user.api.delete(`${TASKS}/${id}`);
    const deletedAt = new Date(Date.now() - days * DAY_MS);
    await databaseOf(service)
      .collection('deletedtasks')
      .updateOne({ _id: new ObjectId(id) }, { $set: { deletedAt } });
    expect((await user.api.post(`${TASKS}/${id}/restore`)).status).toBe(expected);
  });
});

describe('what is deleted', () => {
  it.each(['deletedtasks', 'taskchanges'])('leaves %s by itself after thirty days', async (name) => {
    const indexes = await databaseOf(service).collection(name).indexes();
    const ttl = indexes.filter(({ expireAfterSeconds }) => expireAfterSeconds !== undefined);
    expect(ttl).toEqual([expect.objectContaining({ key: { deletedAt: 1 }, expireAfterSeconds: 30 * 24 * 3600 })]);
  });

  it('takes its history along: all of it carries the time of the deletion', async () => {
    const { id } = await createTask(user.api);
    await user.api.patch(`${TASKS}/${id}`, { title: 'Changed' });
    await user.api.delete(`${TASKS}/${id}`);
    const database = databaseOf(service);
    const deleted = await database.collection('deletedtasks').findOne({ _id: new ObjectId(id) });
    const changes = await database
      .collection('taskchanges')
      .find({ task: new ObjectId(id) })
      .toArray();
    expect(changes.map(({ deletedAt }) => deletedAt as Date)).toEqual([deleted?.['deletedAt'], deleted?.['deletedAt']]);
  });
});
