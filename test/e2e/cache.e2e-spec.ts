import type { ApiClient, PageOf } from '../support/api-client.js';
import { type OwnRedis, startOwnRedis } from '../support/redis.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const INBOX = '/api/v1/notifications';

let redis: OwnRedis;
let first: TestService;
let second: TestService;
beforeAll(async () => {
  redis = await startOwnRedis();
  first = await startService({ REDIS_URL: redis.url });
  second = await first.replica();
});

/** What the cache said, and the titles. */
async function list(api: ApiClient, query = ''): Promise<[string | null, string[]]> {
  const { status, headers, body } = await api.get<PageOf<TaskBody>>(`${TASKS}${query}`);
  expect(status).toBe(200);
  expect(headers.get('cache-control')).toBe('private, no-cache');
  return [headers.get('x-cache'), body.data.map(({ title }) => title)];
}

async function outcome(api: ApiClient, path: string): Promise<string | null> {
  return (await api.get(path)).headers.get('x-cache');
}

describe('the response cache', () => {
  it('answers a repeated list from what any instance has read', async () => {
    const { api } = await registerUser(first);
    await createTask(api, { title: 'One' });
    expect(await list(api)).toEqual(['MISS', ['One']]);
    expect(await list(api)).toEqual(['HIT', ['One']]);
    expect(await list(api.at(second))).toEqual(['HIT', ['One']]);
  });

  it('takes the same question in another order for the same, and another question for another', async () => {
    const { api } = await registerUser(first);
    expect(await outcome(api, `${TASKS}?limit=5&sort=dueDate`)).toBe('MISS');
    expect(await outcome(api, `${TASKS}?sort=dueDate&limit=5`)).toBe('HIT');
    expect(await outcome(api, `${TASKS}?sort=dueDate&limit=6`)).toBe('MISS');
    expect(await outcome(api, `${TASKS}/stats`)).toBe('MISS');
    expect(await outcome(api, `${TASKS}/stats`)).toBe('HIT');
    expect(await outcome(api, `${TASKS}/stats?timezone=Asia/Tokyo`)).toBe('MISS');
  });

  it('gives back byte for byte what was read', async () => {
    const { api } = await registerUser(first);
    await createTask(api, { title: 'Schön — 日本語 🎉', dueDate: '2031-05-01T12:00:00.000Z' });
    const [miss, hit] = [await api.get(TASKS), await api.get(TASKS)];
    expect(hit.headers.get('x-cache')).toBe('HIT');
    expect(hit.body).toEqual(miss.body);
    expect(hit.headers.get('content-type')).toBe(miss.headers.get('content-type'));
  });

  const writes: Record<string, (api: ApiClient, id: string) => Promise<unknown>> = {
    creating: (api) => createTask(api, { title: 'New' }),
    changing: (api, id) => api.patch(`${TASKS}/${id}`, { title: 'New' }),
    deleting: (api, id) => api.delete(`${TASKS}/${id}`),
  };
  it.each(Object.keys(writes))('shows no instance anything older once %s a task is answered', async (what) => {
    const { api } = await registerUser(first);
    const { id } = await createTask(api, { title: 'Old' });
    for (const instance of [first, second]) {
      await list(api.at(instance));
      expect((await list(api.at(instance)))[0]).toBe('HIT');
    }
    await writes[what]?.(api, id);
    const [cache, titles] = await list(api.at(second));
    expect(cache).toBe('MISS');
    expect(titles).toEqual({ creating: ['New', 'Old'], changing: ['New'], deleting: [] }[what]);
    expect(await outcome(api, `${TASKS}/stats`)).toBe('MISS');
  });

  it('never shows what was true before a write, while many read', async () => {
    const { api } = await registerUser(first);
    const { id } = await createTask(api, { title: '0' });
    let written = 0;
    let reading = true;
    const stale: string[] = [];
    const readers = Array.from({ length: 6 }, async (_, index) => {
      while (reading) {
        const known = written;
        const [, [title]] = await list(api.at(index % 2 ? first : second));
        if (Number(title) < known) stale.push(`${title} after ${known}`);
      }
    });
    for (let round = 1; round <= 25; round++) {
      await api.at(round % 2 ? first : second).patch(`${TASKS}/${id}`, { title: String(round) });
      written = round;
    }
    reading = false;
    await Promise.all(readers);
    // On a machine so busy that Redis doesn't answer a writer in time, the other instance can't know yet.
    const unreached = [first, second].some((instance) => instance.logs().includes('the cache is bypassed until'));
    expect(unreached ? [] : stale).toEqual([]);
  });

  it('never shows one user what is another’s', async () => {
    const [one, other] = await Promise.all([registerUser(first), registerUser(first)]);
    await createTask(one.api, { title: 'Private' });
    await list(one.api);
    await list(one.api);
    expect(await list(other.api)).toEqual(['MISS', []]);
    await createTask(other.api, { title: 'Own' });
    expect((await list(one.api))[0]).toBe('HIT');
  });

  it('keeps the inbox as fresh as the lists', async () => {
    const { api } = await registerUser(first);
    expect([await outcome(api, INBOX), await outcome(api, INBOX)]).toEqual(['MISS', 'HIT']);
    await createTask(api, { status: 'done' });
    const inbox = await waitFor('the notification', async () => {
      const { body } = await api.at(second).get<PageOf<{ id: string }>>(INBOX);
      return body.data.length === 1 && body.data;
    });
    const count = async (at: TestService) =>
      (await api.at(at).get<{ count: number }>(`${INBOX}/unread-count`)).body.count;
    expect([await count(first), await count(second)]).toEqual([1, 1]);
    await api.patch(`${INBOX}/${inbox[0]?.id}`, { read: true });
    expect([await count(second), await count(first)]).toEqual([0, 0]);
  });

  it('is not asked about single tasks, which carry a tag instead', async () => {
    const { api } = await registerUser(first);
    const { id } = await createTask(api);
    const { headers } = await api.get(`${TASKS}/${id}`);
    expect([headers.get('x-cache'), headers.get('etag')]).toEqual([null, '"1"']);
  });

  it('can be switched off', async () => {
    const plain = await first.replica({ CACHE_ENABLED: 'false' });
    const { api } = await registerUser(plain);
    expect([await outcome(api, TASKS), await outcome(api, TASKS)]).toEqual(['BYPASS', 'BYPASS']);
    await plain.stop();
  });

  it('is passed by while Redis hangs, and shows nothing stale when it answers again', async () => {
    const { api } = await registerUser(first);
    await createTask(api, { title: 'Before' });
    await list(api);
    expect(await list(api)).toEqual(['HIT', ['Before']]);
    redis.pause();
    try {
      await createTask(api, { title: 'Meanwhile' });
      const [cache, titles] = await list(api);
      expect([cache, titles]).toEqual(['BYPASS', ['Meanwhile', 'Before']]);
    } finally {
      redis.resume();
    }
    await waitFor('the cache to be used again', async () => {
      const [cache, titles] = await list(api);
      expect(titles).toEqual(['Meanwhile', 'Before']);
      return cache === 'HIT';
    });
  });

  // The last one: there is no Redis afterwards.
  it('is passed by at once when Redis dies, and every answer stays right', async () => {
    const { api } = await registerUser(first);
    await createTask(api, { title: 'One' });
    await list(api);
    redis.kill();
    for (const instance of [first, second]) {
      await createTask(api.at(instance), { title: 'More' });
      const startedAt = Date.now();
      const [cache, titles] = await list(api.at(instance));
      expect(cache).toBe('BYPASS');
      expect(titles[0]).toBe('More');
      expect(Date.now() - startedAt).toBeLessThan(1000);
    }
    expect((await list(api))[1]).toHaveLength(3);
    const { body } = await api.get<{ details: { redis: { status: string } }; status: string }>('/health');
    expect([body.status, body.details.redis.status]).toEqual(['ok', 'down']);
  });
});
