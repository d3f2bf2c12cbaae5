import { randomUUID } from 'node:crypto';
import type { ApiClient, PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { Api } from '../support/openapi.js';
import { startService, type TestService } from '../support/service.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { createApiKey, registerUser, registerVerifiedUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

/** Creations that honour no key, and why. */
const WITHOUT_KEY: Record<string, string> = {
  '/api/v1/auth/api-keys': 'the answer holds the key',
  '/api/v1/auth/mfa/totp': 'the answer holds the secret',
};

let service: TestService;
let user: TestUser;
let api: ApiClient;
beforeAll(async () => {
  service = await startService();
});
beforeEach(async () => {
  user = await registerVerifiedUser(service);
  ({ api } = user);
});

const records = () => databaseOf(service).collection<{ _id: string }>('idempotencykeys');

function create(body: unknown, key: string, by = api) {
  return by.post<TaskBody & Problem>(TASKS, body, { 'Idempotency-Key': key });
}

async function titles(of = api): Promise<string[]> {
  const { body } = await of.get<PageOf<TaskBody>>(`${TASKS}?limit=100`);
  return body.data.map(({ title }) => title);
}

describe('the same key', () => {
  it('gives the first answer again: status, body, Location and ETag', async () => {
    const key = randomUUID();
    const first = await create({ title: 'Once', description: 'Only' }, key);
    expect([first.status, first.headers.get('Idempotency-Replayed')]).toEqual([201, null]);
    // Another order of members is the same body.
    const again = await create('{"description": "Only", "title": "Once"}', key);
    expect([again.status, again.headers.get('Idempotency-Replayed')]).toEqual([201, 'true']);
    expect(again.body).toEqual(first.body);
    for (const name of ['Location', 'ETag', 'Content-Type']) {
      expect(first.headers.get(name)).not.toBeNull();
      expect(again.headers.get(name)).toBe(first.headers.get(name));
    }
    expect(again.headers.get('X-Request-Id')).not.toBe(first.headers.get('X-Request-Id'));
    expect(await titles()).toEqual(['Once']);
  });

  it('is refused with a body too deep to compare, like any such body', async () => {
    const deep = '['.repeat(10_000) + ']'.repeat(10_000);
    const { status, body } = await create(`{"title":${deep}}`, randomUUID());
    expect([status, body.code]).toEqual([400, 'VALIDATION_FAILED']);
  });

  it('with another body is refused, and changes nothing', async () => {
    const key = randomUUID();
    await create({ title: 'First' }, key);
    const { status, body } = await create({ title: 'Second' }, key);
    expect([status, body.code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await titles()).toEqual(['First']);
  });

  it("is another one for another user, and the same for the user's API keys", async () => {
    const key = randomUUID();
    const other = await registerUser(service);
    const first = await create({ title: 'Mine' }, key);
    const foreign = await create({ title: 'Yours' }, key, other.api);
    expect([foreign.status, foreign.headers.get('Idempotency-Replayed')]).toEqual([201, null]);
    expect(await titles(other.api)).toEqual(['Yours']);

    const program = await createApiKey(user, ['tasks:write']);
    const again = await create({ title: 'Mine' }, key, program.api);
    expect([again.status, again.body.id]).toEqual([201, first.body.id]);
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
  });

  it('gives a refusal of the input again, and holds the first input to its word', async () => {
    const key = randomUUID();
    const first = await create({ title: '' }, key);
    const again = await create({ title: '' }, key);
    expect([first.status, again.status]).toEqual([400, 400]);
    expect(again.body).toEqual(first.body);
    expect(again.headers.get('Content-Type')).toBe(first.headers.get('Content-Type'));
    expect(again.headers.get('Idempotency-Replayed')).toBe('true');
    expect((await create({ title: 'Mended' }, key)).status).toBe(422);
  });

  it('is free again after 24 hours', async () => {
    const key = randomUUID();
    await create({ title: 'Yesterday' }, key);
    const day = 24 * 3600 * 1000;
    const [record] = await records().find({}).sort({ expiresAt: -1 }).limit(1).toArray();
    const { expiresAt } = record as unknown as { expiresAt: Date };
    expect(Math.abs(expiresAt.getTime() - Date.now() - day)).toBeLessThan(60_000);
    await records().updateMany({}, { $set: { expiresAt: new Date(Date.now() - 1) } });
    const today = await create({ title: 'Today' }, key);
    expect([today.status, today.headers.get('Idempotency-Replayed')]).toEqual([201, null]);
    expect((await titles()).sort()).toEqual(['Today', 'Yesterday']);
  });
});

describe('a key that cannot be one', () => {
  it.each([
    ['empty', ''],
    ['too long', 'x'.repeat(256)],
    ['not printable', 'a\tb'],
    ['not ASCII', 'caf\u00e9'],
  ])('is refused, naming the header (%s)', async (_, key) => {
    const { status, body } = await create({ title: 'Never' }, key);
    expect([status, body.code, body.errors?.[0]?.field]).toEqual([400, 'VALIDATION_FAILED', 'Idempotency-Key']);
    expect(await titles()).toEqual([]);
  });

  it('may have 255 characters', async () => {
    expect((await create({ title: 'Long' }, 'x'.repeat(255))).status).toBe(201);
  });
});

it('many changes in one request are carried out once', async () => {
  const { body: task } = await api.post<TaskBody>(TASKS, { title: 'Changed' });
  const operations = [
    { op: 'create', task: { title: 'New' } },
    { op: 'update', id: task.id, changes: { status: 'done' } },
    { op: 'delete', id: 'f'.repeat(24) },
  ];
  const send = (key: string) => api.post<object>(`${TASKS}/bulk`, { operations }, { 'Idempotency-Key': key });
  const key = randomUUID();
  const first = await send(key);
  const again = await send(key);
  expect([first.status, again.status, again.headers.get('Idempotency-Replayed')]).toEqual([200, 200, 'true']);
  expect(again.body).toEqual(first.body);
  expect((await titles()).sort()).toEqual(['Changed', 'New']);
  expect((await api.get<TaskBody>(`${TASKS}/${task.id}`)).body.version).toBe(2);
});

it('a second request while the first runs is 409', async () => {
  const key = randomUUID();
  await create({ title: 'Slow' }, key);
  await records().updateMany({}, { $set: { answer: null, leaseUntil: new Date(Date.now() + 3_600_000) } });
  const waiting = await create({ title: 'Slow' }, key);
  expect([waiting.status, waiting.body.code]).toEqual([409, 'REQUEST_IN_PROGRESS']);
  expect(Number(waiting.headers.get('Retry-After'))).toBeGreaterThan(0);
});

it('a deleted user leaves no kept answers', async () => {
  await create({ title: 'Private' }, randomUUID());
  const own = { 'answer.body': { $regex: 'Private' } };
  expect(await records().countDocuments(own)).toBe(1);
  await api.send('DELETE', '/api/v1/users/me', { password: user.password });
  await waitFor('the answers to be erased', async () => (await records().countDocuments(own)) === 0);
});

it('a browser may read that an answer was replayed', async () => {
  const origin = 'https://app.example.org';
  const open = await service.replica({ CORS_ORIGINS: origin });
  const { headers } = await api.at(open).get(TASKS, { Origin: origin });
  expect(headers.get('Access-Control-Expose-Headers')).toContain('Idempotency-Replayed');
  await open.stop();
}, 120_000);

describe('the OpenAPI document', () => {
  it('has the key, its answers and its header for every creation by somebody, and for none that answers a secret', async () => {
    const { operations } = await Api.of(service);
    const creations = operations.filter(
      ({ method, security, responses }) => method === 'POST' && security?.length !== 0 && '201' in responses,
    );
    expect(creations.length).toBeGreaterThan(Object.keys(WITHOUT_KEY).length);
    const faults = creations.flatMap(({ path, parameters = [], responses }) => {
      const takesKey = parameters.some(({ name }) => name === 'Idempotency-Key');
      if (path in WITHOUT_KEY) return takesKey ? [`${path} keeps a secret`] : [];
      const documented = '409' in responses && '422' in responses;
      const replayed = 'Idempotency-Replayed' in (responses['201']?.headers ?? {});
      return takesKey && documented && replayed ? [] : [`${path} forgot its @Idempotent()`];
    });
    expect(faults).toEqual([]);
  });
});
