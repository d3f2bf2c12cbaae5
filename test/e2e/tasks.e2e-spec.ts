import { ObjectId } from 'mongodb';
import type { ApiClient, PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';

const UNKNOWN_ID = '0123456789abcdef01234567';

let service: TestService;
let user: TestUser;
let stranger: TestUser;
beforeAll(async () => {
  service = await startService();
  [user, stranger] = await Promise.all([registerUser(service), registerUser(service)]);
});

async function listIds(api: ApiClient, query: string): Promise<string[]> {
  const { status, body } = await api.get<PageOf<TaskBody>>(`${TASKS}?limit=100&${query}`);
  expect(status).toBe(200);
  return body.data.map(({ id }) => id);
}

/** All rows of a list by its cursors. */
async function walk(api: ApiClient, query: string, limit: number): Promise<TaskBody[]> {
  const rows: TaskBody[] = [];
  let cursor: string | null = null;
  do {
    const suffix: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    const { status, body } = await api.get<PageOf<TaskBody>>(`${TASKS}?${query}&limit=${limit}${suffix}`);
    expect(status).toBe(200);
    expect(body.data.length).toBeLessThanOrEqual(limit);
    expect(body.page.hasMore).toBe(body.page.nextCursor !== null);
    rows.push(...body.data);
    cursor = body.page.nextCursor;
  } while (cursor !== null);
  return rows;
}

describe('creating a task', () => {
  it('stores every field and answers 201 with its place and its tag', async () => {
    const fields = {
      title: 'Schön — 日本語 🎉',
      description: 'With the numbers of March.\n"quoted" & <b>bold</b>',
      status: 'in_progress',
      priority: 'urgent',
      tags: ['work', 'März'],
      dueDate: '2031-05-01T12:00:00.000Z',
      remindAt: '2031-05-01T10:00:00.000Z',
    };
    const { status, headers, body } = await user.api.post<TaskBody>(TASKS, fields);
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`${TASKS}/${body.id}`);
    expect(headers.get('etag')).toBe('"1"');
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{24}$/) as string,
      ...fields,
      completedAt: null,
      attachments: [],
      version: 1,
      createdAt: expect.stringMatching(/Z$/) as string,
      updatedAt: body.createdAt,
    });
    expect((await user.api.get(headers.get('location') ?? '')).body).toEqual(body);
  });

  it('needs a title alone: the rest has defaults', async () => {
    const task = await createTask(user.api, { title: 'Bare' });
    expect(task).toMatchObject({
      description: '',
      status: 'todo',
      priority: 'medium',
      tags: [],
      dueDate: null,
      remindAt: null,
      completedAt: null,
    });
  });

  it('gives times in UTC, whatever offset they came with', async () => {
    const { dueDate } = await createTask(user.api, { dueDate: '2031-05-01T14:00:00+02:00' });
    expect(dueDate).toBe('2031-05-01T12:00:00.000Z');
  });

  it('keeps each tag once, in the order they came', async () => {
    expect((await createTask(user.api, { tags: ['b', 'a', 'b'] })).tags).toEqual(['b', 'a']);
  });

  it('trims texts of one line, and stores all texts in NFC', async () => {
    const task = await createTask(user.api, {
      title: '\u00a0 Cafe\u0301\n',
      description: ' Cafe\u0301\r\n\tna\u0303o ',
      tags: [' Ma\u0308rz ', 'März', '👩‍🚀', '१०% \u200d', 'با‌تجربه'],
    });
    expect(task).toMatchObject({
      title: 'Café',
      description: ' Café\r\n\tnão ',
      tags: ['März', '👩‍🚀', '१०% \u200d', 'با‌تجربه'],
    });
    const found = await user.api.get<PageOf<TaskBody>>(`${TASKS}?tag=${encodeURIComponent(' Ma\u0308rz ,nowhere')}`);
    expect(found.body.data.map(({ id }) => id)).toContain(task.id);
  });

  it('shows a tag with a comma of an earlier release, and lets the other fields be changed', async () => {
    const { id } = await createTask(user.api, { tags: ['a'] });
    await databaseOf(service)
      .collection('tasks')
      .updateOne({ _id: new ObjectId(id) }, { $set: { tags: ['a, b'] } });
    const { status, body } = await user.api.patch<TaskBody>(`${TASKS}/${id}`, { title: 'New' });
    expect([status, body.title, body.tags]).toEqual([200, 'New', ['a, b']]);
    const removed = await user.api.patch<TaskBody>(`${TASKS}/${id}`, { tags: ['b'] });
    expect([removed.status, removed.body.tags]).toEqual([200, ['b']]);
  });

  it.each([
    ['a tag with a comma', { tags: ['a', 'b, c'] }, 'tags'],
    ['no title', { title: undefined }, 'title'],
    ['an empty title', { title: '' }, 'title'],
    ['a title of 201 characters', { title: 'x'.repeat(201) }, 'title'],
    ['a description of 10,001 characters', { description: 'x'.repeat(10_001) }, 'description'],
    ['an unknown status', { status: 'finished' }, 'status'],
    ['a status that is null', { status: null }, 'status'],
    ['an unknown priority', { priority: 'HIGH' }, 'priority'],
    ['21 tags', { tags: Array.from({ length: 21 }, (_, index) => `t${index}`) }, 'tags'],
    ['a tag of 41 characters', { tags: ['x'.repeat(41)] }, 'tags'],
    ['an empty tag', { tags: [''] }, 'tags'],
    ['a tag that is a number', { tags: [1] }, 'tags'],
    ['a date without a time', { dueDate: '2031-05-01' }, 'dueDate'],
    ['a date that does not exist', { dueDate: '2031-02-30T00:00:00Z' }, 'dueDate'],
    ['a time without an offset', { remindAt: '2031-05-01T12:00:00' }, 'remindAt'],
    ['a field that is the server’s own', { version: 7 }, 'version'],
  ])('refuses %s', async (_, wrong, field) => {
    const { status, body } = await user.api.post<Problem>(TASKS, { title: 'Right', ...wrong });
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors?.map((error) => error.field)).toEqual([field]);
  });

  it('takes what is just allowed', async () => {
    const fields = {
      title: 'x'.repeat(200),
      description: 'y'.repeat(10_000),
      tags: Array.from({ length: 20 }, (_, index) => `${index}`.padStart(40, 't')),
    };
    expect(await createTask(user.api, fields)).toMatchObject(fields);
  });
});

describe('changing a task', () => {
  it('changes what is sent and keeps the rest', async () => {
    const before = await createTask(user.api, {
      description: 'stays',
      tags: ['a'],
      dueDate: '2031-05-01T12:00:00.000Z',
    });
    const { status, headers, body } = await user.api.patch<TaskBody>(`${TASKS}/${before.id}`, {
      title: 'New',
      priority: 'high',
    });
    expect(status).toBe(200);
    expect(headers.get('etag')).toBe('"2"');
    expect(body).toEqual({ ...before, title: 'New', priority: 'high', version: 2, updatedAt: body.updatedAt });
    expect(body.updatedAt > before.updatedAt).toBe(true);
  });

  it('removes a due date and a reminder with null', async () => {
    const task = await createTask(user.api, {
      dueDate: '2031-05-01T12:00:00.000Z',
      remindAt: '2031-05-01T12:00:00.000Z',
    });
    const { body } = await user.api.patch<TaskBody>(`${TASKS}/${task.id}`, { dueDate: null, remindAt: null });
    expect(body).toMatchObject({ dueDate: null, remindAt: null });
  });

  it('sets completedAt with done, keeps it when archived, and clears it when opened again', async () => {
    const { id } = await createTask(user.api);
    const change = async (status: string) => (await user.api.patch<TaskBody>(`${TASKS}/${id}`, { status })).body;
    const done = await change('done');
    expect(Date.parse(done.completedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(done.createdAt));
    expect((await change('archived')).completedAt).toBe(done.completedAt);
    expect((await change('todo')).completedAt).toBeNull();
  });

  it('leaves the version alone where nothing changes', async () => {
    const task = await createTask(user.api, { tags: ['a'], dueDate: '2031-05-01T12:00:00.000Z' });
    const { title, tags, dueDate } = task;
    const { headers, body } = await user.api.patch(`${TASKS}/${task.id}`, { title, tags, dueDate });
    expect(headers.get('etag')).toBe('"1"');
    expect(body).toEqual(task);
  });

  it('lets one of ten changes with the same If-Match through', async () => {
    const { id } = await createTask(user.api);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        user.api.patch<TaskBody & Problem>(`${TASKS}/${id}`, { title: `writer ${index}` }, { 'If-Match': '"1"' }),
      ),
    );
    const winners = answers.filter(({ status }) => status === 200);
    expect(winners).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'VERSION_MISMATCH')).toHaveLength(9);
    const { body } = await user.api.get<TaskBody>(`${TASKS}/${id}`);
    expect(body).toEqual(winners[0]?.body);
  });

  it('loses none of ten changes at once without a condition', async () => {
    const { id } = await createTask(user.api);
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        user.api.patch<TaskBody>(`${TASKS}/${id}`, { title: `writer ${index}` }),
      ),
    );
    expect(answers.map(({ body }) => body.version).sort((a, b) => a - b)).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  });
});

describe('conditions', () => {
  it.each(['"1"', 'W/"1"', '"7", "1"', '*'])('answers 304 without a body for If-None-Match: %s', async (tag) => {
    const { id } = await createTask(user.api);
    const { status, headers, body } = await user.api.get(`${TASKS}/${id}`, { 'If-None-Match': tag });
    expect([status, body, headers.get('etag')]).toEqual([304, undefined, '"1"']);
  });

  it.each(['"2"', '1', '"1', 'nonsense'])('answers 200 for If-None-Match: %s', async (tag) => {
    const { id } = await createTask(user.api);
    expect((await user.api.get(`${TASKS}/${id}`, { 'If-None-Match': tag })).status).toBe(200);
  });

  it.each(['"1"', 'W/"1"', '"7", "1"', '*'])('lets a change through for If-Match: %s', async (tag) => {
    const { id } = await createTask(user.api);
    expect((await user.api.patch(`${TASKS}/${id}`, { title: 'New' }, { 'If-Match': tag })).status).toBe(200);
  });

  it.each(['"2"', '"0"', 'nonsense'])('answers 412 and changes nothing for If-Match: %s', async (tag) => {
    const task = await createTask(user.api);
    const change = await user.api.patch<Problem>(`${TASKS}/${task.id}`, { title: 'New' }, { 'If-Match': tag });
    const removal = await user.api.delete<Problem>(`${TASKS}/${task.id}`, { 'If-Match': tag });
    expect([change.status, change.body.code]).toEqual([412, 'VERSION_MISMATCH']);
    expect([removal.status, removal.body.code]).toEqual([412, 'VERSION_MISMATCH']);
    expect((await user.api.get(`${TASKS}/${task.id}`)).body).toEqual(task);
  });
});

describe('deleting a task', () => {
  it('takes it out of the list, the statistics and its address', async () => {
    const owner = await registerUser(service);
    const { id } = await createTask(owner.api);
    const kept = await createTask(owner.api);
    expect((await owner.api.delete(`${TASKS}/${id}`, { 'If-Match': '"1"' })).status).toBe(204);
    expect(await listIds(owner.api, '')).toEqual([kept.id]);
    expect((await owner.api.get<{ total: number }>(`${TASKS}/stats`)).body.total).toBe(1);
    expect((await owner.api.get(`${TASKS}/${id}`)).status).toBe(404);
    expect((await owner.api.patch(`${TASKS}/${id}`, { title: 'New' })).status).toBe(404);
    expect((await owner.api.delete(`${TASKS}/${id}`)).status).toBe(404);
  });
});

describe("another user's task", () => {
  it('is answered exactly like one that does not exist', async () => {
    const task = await createTask(user.api);
    const attempts = (id: string) => [
      stranger.api.get<Problem>(`${TASKS}/${id}`),
      stranger.api.get<Problem>(`${TASKS}/${id}`, { 'If-None-Match': '*' }),
      stranger.api.patch<Problem>(`${TASKS}/${id}`, { title: 'Mine now' }),
      stranger.api.patch<Problem>(`${TASKS}/${id}`, { title: 'Mine now' }, { 'If-Match': '"99"' }),
      stranger.api.delete<Problem>(`${TASKS}/${id}`),
    ];
    const comparable = async (id: string) =>
      (await Promise.all(attempts(id))).map(({ status, body }) => ({ ...body, status, instance: '', requestId: '' }));
    const answers = await comparable(task.id);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([404]));
    expect(answers).toEqual(await comparable(UNKNOWN_ID));
    expect((await user.api.get(`${TASKS}/${task.id}`)).body).toEqual(task);
    expect(await listIds(stranger.api, '')).toEqual([]);
  });

  it.each(['nonsense', UNKNOWN_ID.toUpperCase(), `${UNKNOWN_ID}0`, '%00', '..%2Ftasks', '%7B%22%24gt%22%3A%22%22%7D'])(
    'and neither is a malformed id told apart: %s',
    async (id) => {
      const { status, body } = await stranger.api.get<Problem>(`${TASKS}/${id}`);
      expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
    },
  );
});

describe('listing tasks', () => {
  const STATUSES = ['todo', 'in_progress', 'done', 'archived'];
  const PRIORITIES = ['low', 'medium', 'high', 'urgent'];
  const TAGS = ['red', 'green', 'blue'];
  const DUE = [null, '2031-01-01T00:00:00.000Z', '2031-01-02T00:00:00.000Z', '2031-01-03T00:00:00.000Z'];
  let owner: TestUser;
  let tasks: TaskBody[];

  beforeAll(async () => {
    owner = await registerUser(service);
    const combinations = Array.from({ length: 48 }, (_, index) => ({
      title: `Task ${index}`,
      status: STATUSES[index % 4],
      priority: PRIORITIES[Math.floor(index / 4) % 4],
      tags: TAGS.slice(index % 3, (index % 3) + 2),
      dueDate: DUE[Math.floor(index / 6) % 4],
    }));
    tasks = [];
    for (let batch = 0; batch < combinations.length; batch += 8) {
      tasks.push(
        ...(await Promise.all(combinations.slice(batch, batch + 8).map((fields) => createTask(owner.api, fields)))),
      );
    }
  });

  it('gives twenty of the newest where nothing else is asked for', async () => {
    const { body } = await owner.api.get<PageOf<TaskBody>>(TASKS);
    expect(body.page).toEqual({ limit: 20, hasMore: true, nextCursor: expect.any(String) as string });
    const newestFirst = [...tasks].sort((a, b) => compare([b.createdAt, b.id], [a.createdAt, a.id]));
    expect(body.data).toEqual(newestFirst.slice(0, 20));
  });

  const due = ({ dueDate }: TaskBody) => dueDate ?? '9999';
  const keys: Record<string, (task: TaskBody) => (string | number)[]> = {
    createdAt: (task) => [task.createdAt, task.id],
    dueDate: (task) => [due(task), task.id],
    priority: (task) => [PRIORITIES.indexOf(task.priority), task.id],
  };
  const orders = Object.keys(keys).flatMap((field) => [field, `-${field}`]);

  it.each(
    orders
      .flatMap((sort) => [1, 7].map((limit) => [sort, limit] as const))
      .filter(([sort, limit]) => limit > 1 || !sort.startsWith('-')),
  )('sorted by %s, in pages of %d, has every task once and in a total order', async (sort, limit) => {
    const keyOf = keys[sort.replace('-', '')] as (task: TaskBody) => (string | number)[];
    const ascending = [...tasks].sort((a, b) => compare(keyOf(a), keyOf(b)));
    const expected = sort.startsWith('-') ? ascending.reverse() : ascending;
    const rows = await walk(owner.api, `sort=${sort}`, limit);
    expect(rows.map(({ id }) => id)).toEqual(expected.map(({ id }) => id));
  });

  const filters: Record<string, [string, (task: TaskBody) => boolean]> = {
    'one status': ['status=done', ({ status }) => status === 'done'],
    'either of two statuses': ['status=todo,archived', ({ status }) => ['todo', 'archived'].includes(status)],
    'either of two priorities': ['priority=low,urgent', ({ priority }) => ['low', 'urgent'].includes(priority)],
    'a tag': ['tag=red', ({ tags }) => tags.includes('red')],
    'either of two tags': ['tag=red,blue', ({ tags }) => tags.includes('red') || tags.includes('blue')],
    'due before a time': ['dueBefore=2031-01-02T00:00:00Z', (task) => due(task) < '2031-01-02'],
    'due at a time or after it': [
      'dueAfter=2031-01-02T00:00:00Z',
      ({ dueDate }) => dueDate !== null && dueDate >= '2031-01-02',
    ],
    'due between': [
      'dueAfter=2031-01-01T12:00:00Z&dueBefore=2031-01-02T12:00:00Z',
      ({ dueDate }) => dueDate === '2031-01-02T00:00:00.000Z',
    ],
    'all at once': [
      'status=todo,done&priority=medium,urgent&tag=red&dueBefore=2031-01-03T00:00:00Z&createdAfter=2020-01-01T00:00:00Z',
      (task) =>
        ['todo', 'done'].includes(task.status) &&
        ['medium', 'urgent'].includes(task.priority) &&
        task.tags.includes('red') &&
        due(task) < '2031-01-03',
    ],
  };
  it.each(Object.entries(filters))('filters by %s', async (_, [query, matches]) => {
    const expected = tasks.filter(matches).map(({ id }) => id);
    expect(expected.length).toBeGreaterThan(0);
    expect((await listIds(owner.api, query)).sort()).toEqual(expected.sort());
  });

  it('filters by the time of creation, that time included', async () => {
    const byAge = [...tasks].sort((a, b) => compare([a.createdAt], [b.createdAt]));
    const middle = byAge[20]?.createdAt as string;
    const expected = tasks.filter(({ createdAt }) => createdAt >= middle).map(({ id }) => id);
    expect((await listIds(owner.api, `createdAfter=${middle}`)).sort()).toEqual(expected.sort());
  });

  it.each(orders)('walks a filtered list sorted by %s', async (sort) => {
    const rows = await walk(owner.api, `sort=${sort}&status=todo,done&tag=green`, 4);
    const expected = tasks.filter(({ status, tags }) => ['todo', 'done'].includes(status) && tags.includes('green'));
    expect(rows.map(({ id }) => id).sort()).toEqual(expected.map(({ id }) => id).sort());
  });

  it('never repeats or skips a row while others are written and deleted', async () => {
    const writer = await registerUser(service);
    const steady = await Promise.all(Array.from({ length: 12 }, () => createTask(writer.api, { priority: 'high' })));
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const suffix: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
      const { body } = await writer.api.get<PageOf<TaskBody>>(`${TASKS}?sort=priority&limit=3${suffix}`);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.page.nextCursor;
      const passing = await createTask(writer.api, { priority: 'low' });
      await createTask(writer.api, { priority: 'urgent' });
      await writer.api.delete(`${TASKS}/${passing.id}`);
    } while (cursor !== null && seen.length < 100);
    expect(seen.filter((id) => steady.some((task) => task.id === id))).toHaveLength(12);
    expect(new Set(seen).size).toBe(seen.length);
  });

  it.each([
    ['broken', () => 'nonsense'],
    ['changed', (cursor: string) => `A${cursor.slice(1)}`],
    ['cut short', (cursor: string) => cursor.slice(0, -1)],
    ['lengthened', (cursor: string) => `${cursor}.x`],
    ['empty', () => ''],
  ])('answers 400 for a cursor that is %s', async (_, spoil) => {
    const { body } = await owner.api.get<PageOf<TaskBody>>(`${TASKS}?limit=5`);
    const cursor = encodeURIComponent(spoil(body.page.nextCursor as string));
    const answer = await owner.api.get<Problem>(`${TASKS}?limit=5&cursor=${cursor}`);
    expect([answer.status, answer.body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(answer.body.errors?.map(({ field }) => field)).toEqual(['cursor']);
  });

  it('answers 400 for a cursor of another sort order', async () => {
    const { body } = await owner.api.get<PageOf<TaskBody>>(`${TASKS}?limit=5&sort=dueDate`);
    const cursor = encodeURIComponent(body.page.nextCursor as string);
    expect((await owner.api.get(`${TASKS}?limit=5&sort=-dueDate&cursor=${cursor}`)).status).toBe(400);
    expect((await owner.api.get(`${TASKS}?limit=5&cursor=${cursor}`)).status).toBe(400);
  });

  it("shows nobody's tasks but one's own, even with another user's cursor", async () => {
    const { body } = await owner.api.get<PageOf<TaskBody>>(`${TASKS}?limit=5`);
    const cursor = encodeURIComponent(body.page.nextCursor as string);
    const ids = new Set(tasks.map(({ id }) => id));
    const other = await user.api.get<PageOf<TaskBody>>(`${TASKS}?limit=100&cursor=${cursor}`);
    expect([200, 400]).toContain(other.status);
    expect((other.body.data ?? []).filter(({ id }) => ids.has(id))).toEqual([]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=many', 'limit'],
    ['limit=', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['sort=title', 'sort'],
    ['sort=createdAt&sort=dueDate', 'sort'],
    ['status=open', 'status'],
    ['status=', 'status'],
    ['status[$ne]=done', 'status[$ne]'],
    ['priority=low,highest', 'priority'],
    ['tag=', 'tag'],
    ['dueBefore=tomorrow', 'dueBefore'],
    ['createdAfter=2031-02-30T00:00:00Z', 'createdAfter'],
    ['user=0123456789abcdef01234567', 'user'],
    ['Status=done', 'Status'],
  ])('refuses ?%s, naming %s', async (query, field) => {
    const { status, body } = await owner.api.get<Problem>(`${TASKS}?${query}`);
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
    expect(body.errors?.map((error) => error.field)).toEqual([field]);
  });
});

/** Orders by the first key that differs; ids are compared as the database compares them, byte by byte. */
function compare(a: (string | number)[], b: (string | number)[]): number {
  for (const [index, left] of a.entries()) {
    const right = b[index] as string | number;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
