import { Redis } from 'ioredis';
import type { ApiClient, ApiResponse, PageOf } from '../support/api-client.js';
import { quickest } from '../support/quickest.js';
import { type OwnRedis, startOwnRedis } from '../support/redis.js';
import { CommandCounter } from '../support/sent-commands.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { logIn, registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const INBOX = '/api/v1/notifications';

/** Commands to MongoDB, and in Redis, that a request takes with all that follows; a little more than was measured. */
const MOST_COMMANDS = {
  hit: [0.5, 5.5],
  miss: [1.5, 10.5],
  create: [4.5, 4.5],
  update: [6.5, 4.5],
  logIn: [36, 7],
} as const;
/** Commands to MongoDB in a second. */
const MOST_WHILE_IDLE = 9;

let redis: OwnRedis;
let first: TestService;
let second: TestService;
beforeAll(async () => {
  redis = await startOwnRedis();
  first = await startService({ REDIS_URL: redis.url });
  second = await first.replica();
});

/**
 * What the cache said, and the titles. An instance that isn't sure of the others passes the cache by, which keeps nothing:
 * on a busy machine that happens, and asking again is all there is to it.
 */
async function list(api: ApiClient, query = ''): Promise<[string | null, string[]]> {
  const { headers, body } = await ask<PageOf<TaskBody>>(api, `${TASKS}${query}`);
  expect(headers.get('cache-control')).toBe('private, no-cache');
  return [headers.get('x-cache'), body.data.map(({ title }) => title)];
}

async function outcome(api: ApiClient, path: string): Promise<string | null> {
  return (await ask(api, path)).headers.get('x-cache');
}

/** Asks until the cache took part. */
function ask<T>(api: ApiClient, path: string, headers: Record<string, string> = {}): Promise<ApiResponse<T>> {
  return waitFor('an answer with the cache', async () => {
    const answer = await api.get<T>(path, headers);
    expect([200, 304]).toContain(answer.status);
    return answer.headers.get('x-cache') !== 'BYPASS' && answer;
  });
}

/** Asks once. */
async function listOnce(api: ApiClient): Promise<[string | null, string[]]> {
  const { headers, body } = await api.get<PageOf<TaskBody>>(TASKS);
  return [headers.get('x-cache'), body.data.map(({ title }) => title)];
}

/** How many aggregations an instance has sent to the database: for statistics, and for its metrics. */
async function countAggregations({ metricsUrl }: TestService): Promise<number> {
  const metrics = await (await fetch(`${metricsUrl}/metrics`)).text();
  const [, count = '0'] =
    /^mongodb_command_duration_seconds_count\{command="aggregate",outcome="success"\} (\d+)$/m.exec(metrics) ?? [];
  return Number(count);
}

/**
 * 500 equal requests at once, for statistics that nobody has asked for.
 *
 * @returns how many queries each instance made of them; null where some passed the cache by
 */
async function stampede(api: ApiClient, instances: TestService[]): Promise<number[] | null> {
  // Telling the metrics takes aggregations of its own, each time as many.
  const [earlier, before] = [
    await Promise.all(instances.map(countAggregations)),
    await Promise.all(instances.map(countAggregations)),
  ];
  const path = `${TASKS}/stats?timezone=${freshTimezones.pop()}`;
  const answers = await Promise.all(
    Array.from({ length: 500 }, (_, index) => api.at(instances[index % instances.length] as TestService).get(path)),
  );
  const after = await Promise.all(instances.map(countAggregations));
  if (answers.some(({ headers }) => headers.get('x-cache') === 'BYPASS')) return null;
  expect(new Set(answers.map(({ status, headers }) => `${status} ${headers.get('etag')}`)).size).toBe(1);
  return instances.map((_, i) => Number(after[i]) - 2 * Number(before[i]) + Number(earlier[i]));
}
const freshTimezones = Intl.supportedValuesOf('timeZone');

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
    const read = async () => {
      const headers = { Authorization: `Bearer ${api.accessToken}` };
      const response = await fetch(new URL(TASKS, first.url), { headers });
      const kept = ['content-type', 'content-length', 'etag'].map((name) => response.headers.get(name));
      return { cache: response.headers.get('x-cache'), kept, bytes: Buffer.from(await response.arrayBuffer()) };
    };
    const [miss, hit] = [await read(), await read()];
    expect([miss.cache, hit.cache]).toEqual(['MISS', 'HIT']);
    expect(hit.kept).toEqual(miss.kept);
    expect(hit.bytes.equals(miss.bytes)).toBe(true);
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
    const [cache, titles] = await listOnce(api.at(second));
    expect(cache).not.toBe('HIT');
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
        const [, [title]] = await listOnce(api.at(index % 2 ? first : second));
        if (Number(title) < known) stale.push(`${title} after ${known}`);
      }
    });
    for (let round = 1; round <= 25; round++) {
      await api.at(round % 2 ? first : second).patch(`${TASKS}/${id}`, { title: String(round) });
      written = round;
    }
    reading = false;
    await Promise.all(readers);
    expect(stale).toEqual([]);
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

  it('answers a single task under the tag of its version, to each user their own', async () => {
    const [{ api }, other] = await Promise.all([registerUser(first), registerUser(first)]);
    const { id } = await createTask(api);
    const path = `${TASKS}/${id}`;
    expect([await outcome(api, path), await outcome(api, path)]).toEqual(['MISS', 'HIT']);
    expect((await api.at(second).get(path)).headers.get('etag')).toBe('"1"');
    expect((await other.api.get(path)).status).toBe(404);
    await api.patch(path, { title: 'Another' });
    const { headers, body } = await ask<TaskBody>(api.at(second), path);
    expect([headers.get('x-cache'), headers.get('etag'), body.title]).toEqual(['MISS', '"2"', 'Another']);
    await api.delete(path);
    expect((await api.at(second).get(path)).status).toBe(404);
  });

  it.each([TASKS, `${TASKS}/stats`, INBOX, `${INBOX}/unread-count`])(
    'answers 304 for %s where the tag is current, from the cache or not',
    async (path) => {
      const { api } = await registerUser(first);
      const tag = (await ask(api, path)).headers.get('etag') ?? '';
      expect(tag).toMatch(/^"[\w-]{22}"$/);
      const hit = await ask(api.at(second), path, { 'If-None-Match': `"other", W/${tag}` });
      expect([hit.status, hit.body, hit.headers.get('x-cache'), hit.headers.get('etag')]).toEqual([
        304,
        undefined,
        'HIT',
        tag,
      ]);
      expect(hit.headers.get('cache-control')).toBe('private, no-cache');
      expect(hit.headers.get('vary')).toContain('Authorization');
      await createTask(api, { status: 'done' });
      const changed = () => api.at(second).get(path, { 'If-None-Match': tag });
      await waitFor('another answer', async () => (await changed()).status === 200);
    },
  );

  it('can be switched off for an instance, whose writes still reach the others', async () => {
    const plain = await first.replica({ CACHE_ENABLED: 'false' });
    const { api } = await registerUser(plain);
    expect([await listOnce(api), await listOnce(api)]).toEqual([
      ['BYPASS', []],
      ['BYPASS', []],
    ]);
    expect(await list(api.at(first))).toEqual(['MISS', []]);
    await createTask(api, { title: 'Elsewhere' });
    expect(await list(api.at(first))).toEqual(['MISS', ['Elsewhere']]);
    await plain.stop();
  });

  it('asks the database once an instance, however many ask the same at once', async () => {
    const { api } = await registerUser(first);
    await createTask(api);
    const queries = await waitFor(
      'a burst that the cache took part in, which on a busy machine it may not',
      async () => await stampede(api, [first, second]),
      55_000,
    );
    expect(Math.max(...queries)).toBeLessThanOrEqual(1);
    expect(Math.min(...queries)).toBeGreaterThanOrEqual(0);
  });

  it('holds no more than a mebibyte of a user and scope, whatever they ask', async () => {
    const { api, id } = await registerUser(first);
    for (let index = 0; index < 15; index++) await createTask(api, { description: 'x'.repeat(10_000) });
    const client = new Redis(redis.url);
    const sizes: number[] = [];
    for (let limit = 1; limit <= 20; limit++) {
      await list(api, `?limit=${limit}`);
      const [key = ''] = await client.keys(`response:*:${id}:tasks`);
      const values = await client.hvals(key);
      sizes.push(values.reduce((sum, value) => sum + value.length, 0));
    }
    client.disconnect();
    expect(Math.max(...sizes)).toBeGreaterThan(700_000);
    expect(Math.max(...sizes)).toBeLessThan(1024 * 1024);
    expect(sizes.at(-1)).toBeLessThan(Math.max(...sizes));
  });

  it('takes no more commands to MongoDB and Redis than it did, request by request and while idle', async () => {
    const user = await registerUser(first);
    const { api } = user;
    const counter = new CommandCounter(first, redis.url);
    try {
      const perIdleSecond = await counter.perIdleSecond();
      const { body: task } = await api.post<TaskBody>(TASKS, { title: 'Counted' });
      await list(api);
      let unseen = 0;
      const counted = {
        hit: await counter.perRequest(20, () => api.get(TASKS)),
        miss: await counter.perRequest(20, () => api.get(`${TASKS}?limit=${++unseen}`)),
        create: await counter.perRequest(20, () => createTask(api)),
        update: await counter.perRequest(20, () => api.patch(`${TASKS}/${task.id}`, { title: `Number ${++unseen}` })),
        logIn: await counter.perRequest(5, () => logIn(first, user)),
      };
      for (const [what, { mongodb, redis: inRedis }] of Object.entries(counted)) {
        const [mostToMongodb, mostInRedis] = MOST_COMMANDS[what as keyof typeof counted];
        expect([what, mongodb <= mostToMongodb ? 'few' : mongodb, inRedis <= mostInRedis ? 'few' : inRedis]).toEqual([
          what,
          'few',
          'few',
        ]);
      }
      expect(perIdleSecond).toBeLessThan(MOST_WHILE_IDLE);
    } finally {
      counter.stop();
    }
  });

  it('is passed by while Redis hangs, and shows nothing stale when it answers again', async () => {
    const { api } = await registerUser(first);
    await createTask(api, { title: 'Before' });
    await list(api);
    expect(await list(api)).toEqual(['HIT', ['Before']]);
    redis.pause();
    try {
      await createTask(api, { title: 'Meanwhile' });
      for (const instance of [first, second]) {
        expect(await listOnce(api.at(instance))).toEqual(['BYPASS', ['Meanwhile', 'Before']]);
      }
    } finally {
      redis.resume();
    }
    await waitFor('the cache to be used again', async () => {
      const [cache, titles] = await listOnce(api);
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
      const elapsed = await quickest(1000, async () => {
        const startedAt = Date.now();
        const [cache, titles] = await listOnce(api.at(instance));
        expect(cache).toBe('BYPASS');
        expect(titles[0]).toBe('More');
        return Date.now() - startedAt;
      });
      expect(elapsed).toBeLessThan(1000);
    }
    expect((await listOnce(api))[1]).toHaveLength(3);
    const { body } = await api.get<{ details: { redis: { status: string } }; status: string }>('/health');
    expect([body.status, body.details.redis.status]).toEqual(['ok', 'down']);
  });
});
