import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { brotliCompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { WebSocket } from 'ws';
import { startS3, type TestS3 } from '../support/s3.js';
import { startService, type TestService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { newRegistration, type Registration } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import {
  ApiError,
  Client,
  type ClientOptions,
  ConflictError,
  isApiError,
  memoryStore,
  NetworkError,
  type TokenStore,
} from '@scalable-api/client';

const TASKS = '/api/v1/tasks';
const TASK = '/api/v1/tasks/{id}';
const PREFERENCES = {
  channels: { email: true, push: false, sms: false },
  mutedEvents: [],
  quietHours: null,
  digest: 'off' as const,
};

let s3: TestS3;
let service: TestService;
beforeAll(async () => {
  s3 = await startS3();
  service = await startService({ ...s3.environment, STORAGE_PATH: undefined });
}, 120_000);
afterAll(() => s3.close());

/** What a client sent, and what it was answered. */
interface Exchange {
  method: string;
  path: string;
  headers: Headers;
  status: number;
}

/** The real `fetch`, recorded; `lose` says which answers get lost on their way back. */
function recorded(lose: (exchange: Exchange, earlier: Exchange[]) => boolean = () => false) {
  const exchanges: Exchange[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const response = await globalThis.fetch(request);
    const exchange = { ...describe(request), status: response.status };
    const isLost = lose(exchange, exchanges);
    exchanges.push(exchange);
    if (isLost) throw new TypeError('the answer was lost');
    return response;
  };
  return { exchanges, fetch };

  function describe({ method, url, headers }: Request) {
    return { method, path: new URL(url).pathname, headers };
  }
}

const clientOf = (options: ClientOptions = {}) =>
  new Client({ baseUrl: service.url, retries: { pauseMs: 5 }, ...options });

async function registered(options: ClientOptions = {}): Promise<{ client: Client; registration: Registration }> {
  const client = clientOf(options);
  const registration = newRegistration();
  await client.register(registration);
  return { client, registration };
}

/** As after its 15 minutes: the service refuses it, and the refresh token is good. */
async function spoilAccessToken(store: TokenStore): Promise<void> {
  const { session } = await store.load();
  await store.save({ session: { ...session!, accessToken: `${session!.accessToken}x` } });
}

async function rejection(work: Promise<unknown>): Promise<unknown> {
  return await work.then(
    () => {
      throw new Error('was answered');
    },
    (error: unknown) => error,
  );
}

describe('the package', () => {
  it('has types that follow from the OpenAPI document', async () => {
    const check = promisify(execFile)(process.execPath, ['scripts/generate-client.mjs', '--check']);
    await expect(check).resolves.toEqual({ stdout: '', stderr: '' });
  });

  it('is under 15 KB in a page', async () => {
    const { outputFiles } = await build({
      stdin: { contents: "export * from '@scalable-api/client';", resolveDir: process.cwd() },
      bundle: true,
      format: 'esm',
      minify: true,
      write: false,
    });
    expect(brotliCompressSync(outputFiles[0]!.contents).length).toBeLessThan(15_000);
  });
});

describe('errors', () => {
  it('are of a type, by their code, and name fields', async () => {
    const { client } = await registered();
    const error = await rejection(client.post(TASKS, { body: { title: '' } }));
    expect(error).toBeInstanceOf(ApiError);
    if (!isApiError(error, 'VALIDATION_FAILED')) throw error;
    expect(error.problem.errors.map(({ field }) => field)).toEqual(['title']);
    expect(error.requestId).not.toBe('');
    expect(isApiError(error, 'EMAIL_TAKEN')).toBe(false);
  });

  it('come from what isn’t the service, too', async () => {
    const client = clientOf({ fetch: async () => new Response('<h1>Teapot</h1>', { status: 418 }) });
    expect(await rejection(client.get(TASKS))).toMatchObject({ code: 'BAD_REQUEST', status: 418 });
  });
});

describe('a session', () => {
  it('is renewed once for all requests whose token has been refused', async () => {
    const { exchanges, fetch } = recorded();
    const store = memoryStore();
    const { client } = await registered({ store, fetch });
    await spoilAccessToken(store);
    const lists = await Promise.all(Array.from({ length: 10 }, () => client.get(TASKS)));
    expect(lists.map(({ data }) => data)).toEqual(Array(10).fill([]));
    expect(exchanges.filter(({ path }) => path.endsWith('/refresh'))).toHaveLength(1);
    expect(exchanges.filter(({ status }) => status === 401)).toHaveLength(10);
  });

  it('isn’t renewed for a wrong password', async () => {
    const { exchanges, fetch } = recorded();
    const { client, registration } = await registered({ fetch });
    const wrong = { currentPassword: 'not-that-password', newPassword: 'another-horse-battery' };
    expect(await rejection(client.post('/api/v1/auth/password/change', { body: wrong }))).toMatchObject({
      code: 'INVALID_CREDENTIALS',
    });
    await client.logout();
    const { email } = registration;
    expect(isApiError(await rejection(client.login({ email, password: 'x' })), 'INVALID_CREDENTIALS')).toBe(true);
    expect(exchanges.some(({ path }) => path.endsWith('/refresh'))).toBe(false);
  });

  it('is told to have ended where it was ended elsewhere', async () => {
    let ends = 0;
    const { client, registration } = await registered({ onSessionEnd: () => (ends += 1) });
    const other = clientOf();
    await other.login(registration);
    await other.post('/api/v1/auth/logout-all');
    await waitFor('the session to be over', async () => {
      return isApiError(await client.get(TASKS).catch((error: unknown) => error), 'UNAUTHENTICATED');
    });
    expect([ends, await client.isLoggedIn()]).toEqual([1, false]);
  });

  it('is renewed although the first answer to that is lost', async () => {
    const { exchanges, fetch } = recorded(
      ({ path }, earlier) => path.endsWith('/refresh') && !earlier.some((each) => each.path.endsWith('/refresh')),
    );
    const store = memoryStore();
    const { client } = await registered({ store, fetch });
    await spoilAccessToken(store);
    expect((await client.get(TASKS)).data).toEqual([]);
    expect(exchanges.filter(({ path }) => path.endsWith('/refresh')).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('stays ended where it ends while it is renewed', async () => {
    const store = memoryStore();
    const fetch: typeof globalThis.fetch = async (input, init) => {
      const response = await globalThis.fetch(input, init);
      // As another tab does that logs out.
      if (new Request(input).url.endsWith('/refresh')) await store.save({});
      return response;
    };
    const { client } = await registered({ store, fetch });
    await spoilAccessToken(store);
    expect(await rejection(client.get(TASKS))).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect([await client.isLoggedIn(), await store.load()]).toEqual([false, {}]);
  });

  it('of somebody else in the same store is told nothing of what the first one saw', async () => {
    const store = memoryStore();
    const { client: tab, registration } = await registered({ store });
    const other = await registered();
    expect(await tab.get('/api/v1/users/me')).toMatchObject({ email: registration.email });
    await clientOf({ store }).login(other.registration);
    expect(await tab.get('/api/v1/users/me')).toMatchObject({ email: other.registration.email });
  });

  it('keeps the token of the device beyond log-out', async () => {
    const store = memoryStore();
    const { client, registration } = await registered({ store });
    const { deviceToken } = await store.load();
    await client.logout();
    expect(await store.load()).toEqual({ deviceToken });
    await client.login(registration);
    expect(await client.isLoggedIn()).toBe(true);
  });
});

describe('a request whose answer is lost', () => {
  const first = (method: string) => (exchange: Exchange, earlier: Exchange[]) =>
    exchange.method === method &&
    exchange.path.startsWith(TASKS) &&
    !earlier.some((each) => each.method === method && each.path.startsWith(TASKS));

  it('creates once', async () => {
    const { exchanges, fetch } = recorded(first('POST'));
    const { client } = await registered({ fetch });
    const task = await client.post(TASKS, { body: { title: 'Once' } });
    const created = exchanges.filter(({ method, path }) => method === 'POST' && path === TASKS);
    expect(created.map(({ status }) => status)).toEqual([201, 201]);
    expect(new Set(created.map(({ headers }) => headers.get('Idempotency-Key'))).size).toBe(1);
    expect((await client.get(TASKS)).data.map(({ id }) => id)).toEqual([task.id]);
  });

  it('changes without a conflict with itself', async () => {
    const { exchanges, fetch } = recorded(first('PATCH'));
    const { client } = await registered({ fetch });
    const { id } = await client.post(TASKS, { body: { title: 'Before' } });
    const changed = await client.patch(TASK, { params: { path: { id } }, body: { title: 'After' } });
    expect(changed).toMatchObject({ title: 'After', version: 2 });
    expect(exchanges.filter(({ method }) => method === 'PATCH').map(({ status }) => status)).toEqual([200, 412]);
  });

  it('deletes without finding nothing', async () => {
    const { exchanges, fetch } = recorded(first('DELETE'));
    const { client } = await registered({ fetch });
    const { id } = await client.post(TASKS, { body: { title: 'Gone' } });
    await client.delete(TASK, { params: { path: { id } } });
    expect(exchanges.filter(({ method }) => method === 'DELETE').map(({ status }) => status)).toEqual([204, 404]);
  });

  it.each<[string, (client: Client, registration: Registration) => Promise<unknown>]>([
    ['/login', (client, registration) => client.login(registration)],
    ['/read-all', (client) => client.post('/api/v1/notifications/read-all')],
    ['/preferences', (client) => client.put('/api/v1/users/me/preferences', { body: PREFERENCES })],
  ])('isn’t sent again where that isn’t safe: %s', async (end, send) => {
    const { exchanges, fetch } = recorded(({ path }) => path.endsWith(end));
    const { client, registration } = await registered({ fetch });
    expect(await rejection(send(client, registration))).toBeInstanceOf(NetworkError);
    expect(exchanges.filter(({ path }) => path.endsWith(end))).toHaveLength(1);
  });

  it('is waited for within a bound', async () => {
    const fetch: typeof globalThis.fetch = (_input, init) =>
      new Promise((_, reject) => init?.signal?.addEventListener('abort', () => reject(init.signal?.reason as Error)));
    const client = clientOf({ fetch, timeoutMs: 20, retries: { attempts: 2, pauseMs: 1 } });
    expect(await rejection(client.get(TASKS))).toBeInstanceOf(NetworkError);
  });

  it('is given up in the end', async () => {
    const { exchanges, fetch } = recorded(({ path }) => path === TASKS);
    const { client } = await registered({ fetch, retries: { attempts: 3, pauseMs: 1 } });
    expect(await rejection(client.get(TASKS))).toBeInstanceOf(NetworkError);
    expect(exchanges.filter(({ path }) => path === TASKS)).toHaveLength(3);
  });

  it('ends at once where it is aborted', async () => {
    const { client } = await registered();
    const reason = new Error('not wanted any more');
    expect(await rejection(client.get(TASKS, { signal: AbortSignal.abort(reason) }))).toBe(reason);
  });
});

describe('versions', () => {
  it('come from memory where nothing has changed', async () => {
    const { exchanges, fetch } = recorded();
    const { client } = await registered({ fetch });
    const task = await client.post(TASKS, { body: { title: 'Same' } });
    const read = () => client.get(TASK, { params: { path: { id: task.id } } });
    expect(await read()).toEqual(task);
    expect(await read()).toEqual(task);
    expect(exchanges.filter(({ method }) => method === 'GET').map(({ status }) => status)).toEqual([304, 304]);
  });

  it('make a conflict an error with both, and what was seen; the choice is written then', async () => {
    const { client, registration } = await registered();
    const other = clientOf();
    await other.login(registration);
    const { id } = await client.post(TASKS, { body: { title: 'As it was' } });
    const params = { path: { id } };
    await other.patch(TASK, { params, body: { title: 'Theirs' } });
    const error = await rejection(client.patch(TASK, { params, body: { title: 'Mine' } }));
    expect(error).toBeInstanceOf(ConflictError);
    expect(error).toMatchObject({
      code: 'VERSION_MISMATCH',
      mine: { title: 'Mine' },
      base: { title: 'As it was' },
      current: { title: 'Theirs', version: 2 },
    });
    expect(await client.patch(TASK, { params, body: { title: 'Mine' } })).toMatchObject({ title: 'Mine', version: 3 });
  });

  it('of the rows of a list are known, too', async () => {
    const { client, registration } = await registered();
    const other = clientOf();
    await other.login(registration);
    const { id } = await client.post(TASKS, { body: { title: 'One' } });
    const params = { path: { id } };
    for await (const row of other.list(TASKS)) expect(row.version).toBe(1);
    await client.patch(TASK, { params, body: { title: 'Two' } });
    const error = await rejection(other.patch(TASK, { params, body: { title: 'Three' } }));
    expect(error).toMatchObject({ code: 'VERSION_MISMATCH', base: { title: 'One' }, current: { title: 'Two' } });
    expect(JSON.stringify(error)).not.toContain('response');
  });

  it('of a profile follow what its parts do to it', async () => {
    const { client } = await registered();
    await client.get('/api/v1/users/me');
    await client.put('/api/v1/users/me/preferences', { body: PREFERENCES });
    expect(await client.patch('/api/v1/users/me', { body: { name: 'Grace' } })).toMatchObject({ name: 'Grace' });
  });

  it('are those of this moment after a bulk operation', async () => {
    const { client } = await registered();
    const { id } = await client.post(TASKS, { body: { title: 'Before' } });
    const operations = [{ op: 'update', id, changes: { title: 'Between' } }] as const;
    await client.post('/api/v1/tasks/bulk', { body: { operations: [...operations] } });
    const params = { path: { id } };
    expect(await client.patch(TASK, { params, body: { title: 'After' } })).toMatchObject({ title: 'After' });
  });

  it('are read where the browser does not know the bodies of requests', async () => {
    const { client } = await registered();
    const { get } = Object.getOwnPropertyDescriptor(Request.prototype, 'body')!;
    Object.defineProperty(Request.prototype, 'body', { get: () => undefined, configurable: true });
    try {
      expect((await client.get(TASKS)).data).toEqual([]);
    } finally {
      Object.defineProperty(Request.prototype, 'body', { get: get!, configurable: true });
    }
  });

  it('follow what a file of a task does to it', async () => {
    const { client } = await registered();
    const { id } = await client.post(TASKS, { body: { title: 'With a file' } });
    const sent: number[] = [];
    const file = new Blob(['name;value\n'], { type: 'text/csv' });
    const attachment = await client.uploadAttachment(id, file, 'values.csv', {
      onProgress: (bytes) => sent.push(bytes),
    });
    expect(attachment).toMatchObject({ filename: 'values.csv', size: file.size, state: 'complete' });
    expect(sent).toEqual([0, file.size]);
    const params = { path: { id } };
    await expect(client.patch(TASK, { params, body: { priority: 'high' } })).resolves.toMatchObject({ id });
  });
});

describe('lists', () => {
  it('are read page by page, as far as is wanted', async () => {
    const { exchanges, fetch } = recorded();
    const { client } = await registered({ fetch });
    const titles = ['a', 'b', 'c', 'd', 'e'];
    for (const title of titles) await client.post(TASKS, { body: { title, status: 'todo' } });
    const query = { limit: 2, sort: 'createdAt', status: ['todo', 'done'] } as const;
    const found: string[] = [];
    for await (const task of client.list(TASKS, { ...query, status: [...query.status] })) found.push(task.title);
    expect(found).toEqual(titles);
    expect(exchanges.filter(({ method }) => method === 'GET')).toHaveLength(3);
    for await (const task of client.list(TASKS, { limit: 1 })) {
      expect(task.title).toBe('e');
      break;
    }
    expect(exchanges.filter(({ method }) => method === 'GET')).toHaveLength(4);
  });
});

describe('live notifications', () => {
  let line: TcpProxy;
  beforeAll(async () => {
    line = await startTcpProxy(Number(new URL(service.url).port));
  });

  it('come once, also those of an interruption', async () => {
    const { client, registration } = await registered();
    const listener = clientOf({ baseUrl: `http://127.0.0.1:${line.port}` });
    await listener.login(registration);
    const received: string[] = [];
    const states: boolean[] = [];
    const live = listener.live({
      WebSocket,
      onNotification: ({ event, data }) => event === 'task.completed' && received.push(String(data['taskId'])),
      onStateChange: (isConnected) => states.push(isConnected),
    });
    const complete = async () => {
      const { id } = await client.post(TASKS, { body: { title: 'Done' } });
      await client.patch(TASK, { params: { path: { id } }, body: { status: 'done' } });
      return id;
    };
    await waitFor('the connection', () => states.length === 1);
    const before = await complete();
    await waitFor('the first notification', () => received.length === 1);
    line.cut();
    await waitFor('the interruption to be noticed', () => states.length === 2);
    const meanwhile = await complete();
    line.restore();
    await waitFor('what was missed', () => received.length > 1);
    const after = await complete();
    await waitFor('what came afterwards', () => received.includes(after));
    live.close();
    expect(received).toEqual([before, meanwhile, after]);
    expect(states.slice(0, 3)).toEqual([true, false, true]);
  });

  it('are refused at once where there is no way to them', () => {
    const options = { WebSocket: undefined as never };
    const { WebSocket: own } = globalThis;
    Object.assign(globalThis, { WebSocket: undefined });
    try {
      expect(() => clientOf().live(options)).toThrow(TypeError);
    } finally {
      Object.assign(globalThis, { WebSocket: own });
    }
    expect(() => clientOf({ apiKey: 'k' }).live({ WebSocket })).toThrow(TypeError);
  });

  it('end with the session', async () => {
    const { client, registration } = await registered();
    const ended = new Promise<unknown>((resolve) => {
      client.live({ WebSocket, onEnd: resolve });
    });
    const other = clientOf();
    await other.login(registration);
    await other.post('/api/v1/auth/logout-all');
    expect(await ended).toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
