import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { json } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import { WebSocket } from 'ws';
import { startRedis } from '../../local/redis.js';
import type { ApiClient } from '../support/api-client.js';
import { LiveContracts } from '../support/asyncapi.js';
import { databaseOf } from '../support/database.js';
import { LiveClient } from '../support/live-client.js';
import { allOf } from '../support/pages.js';
import { median, quickest } from '../support/quickest.js';
import { type Restartable, startRestartable } from '../support/restartable.js';
import { startService, type TestService } from '../support/service.js';
import { createTask } from '../support/tasks.js';
import { logIn, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const INBOX = '/api/v1/notifications';
const PATIENCE_MS = 60_000;
const SAMPLES = 30;
const MAX_ROUNDS = 4;
const MAX_DELAY_MS = 100;
/** How many writes a notification may take where those of a busy machine are slow: those of its way, and the waits between. */
const MAX_WRITES = 4;

let redis: Restartable;
let a: TestService;
let b: TestService;
beforeAll(async () => {
  redis = await startRestartable((context) => startRedis(context, {}));
  a = await startService({ REDIS_URL: redis.url, TRUST_PROXY: '1', CORS_ORIGINS: 'https://app.example.org' });
  b = await a.replica();
}, 120_000);
afterAll(() => redis.stop(), 60_000);

/** A completed task is what notifies; the notification follows by way of an event. */
const complete = async (api: ApiClient): Promise<string> => (await createTask(api, { status: 'done' })).id;
const taskIds = (client: LiveClient) => client.notifications.map(({ data }) => data.taskId);
const open = (service: TestService, { tokens }: TestUser, since?: string) =>
  LiveClient.open(service, tokens.accessToken, since);

async function metric(service: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1] ?? 0,
  );
}

describe('a client of one instance', () => {
  it('is sent what another instance wrote, with the count of what is unread', async () => {
    const user = await registerUser(a);
    const client = await open(a, user);
    const taskId = await complete(user.api.at(b));
    await waitFor('the notification', () => client.notifications.length === 1, PATIENCE_MS);
    const [listed] = await allOf(user.api, INBOX);
    expect(client.notifications).toEqual([listed]);
    expect(taskIds(client)).toEqual([taskId]);
    await waitFor('the count', () => client.unread === 1, PATIENCE_MS);
    await user.api.at(b).post(`${INBOX}/read-all`);
    await waitFor('the new count', () => client.unread === 0, PATIENCE_MS);
    expect(client.notifications).toHaveLength(1);
  });

  it('is sent what the document says', async () => {
    const contracts = new LiveContracts();
    const user = await registerUser(a);
    const client = await open(a, user);
    await complete(user.api.at(b));
    await waitFor('the count', () => client.unread === 1, PATIENCE_MS);
    expect(client.messages.map(({ message }) => message.type).sort()).toEqual([
      'notification',
      'ready',
      'unread',
      'unread',
    ]);
    expect(client.messages.flatMap(({ message }) => contracts.problemsOf(message))).toEqual([]);
    const auth = { type: 'auth', token: user.tokens.accessToken, since: new Date().toISOString() };
    expect(contracts.problemsOf(auth)).toEqual([]);
    for (const wrong of [{ ...auth, since: 'yesterday' }, { type: 'ready', extra: 1 }, { type: 'unread' }]) {
      expect(contracts.problemsOf(wrong)).not.toEqual([]);
    }
  });

  it('is sent it within 100 ms of the answer to the writer in the median; on a busy machine, within the time of a few writes', async () => {
    const user = await registerUser(a);
    const client = await open(a, user);
    const round = async (): Promise<{ delay: number; limit: number }> => {
      const [writes, delays]: [number[], number[]] = [[], []];
      while (delays.length < SAMPLES) {
        const startedAt = performance.now();
        const taskId = await complete(user.api.at(b));
        const acknowledgedAt = performance.now();
        const receivedAt = await waitFor('the notification', () => client.receivedAt(taskId), PATIENCE_MS);
        writes.push(acknowledgedAt - startedAt);
        delays.push(Math.max(0, receivedAt - acknowledgedAt));
      }
      const [write, delay] = [median(writes), median(delays)];
      process.stdout.write(
        `from B's answer to A's message: median ${delay.toFixed()} ms; a write: ${write.toFixed()} ms\n`,
      );
      return { delay, limit: Math.max(MAX_DELAY_MS, MAX_WRITES * write) };
    };
    let last = await round();
    for (let rounds = 1; rounds < MAX_ROUNDS && last.delay > last.limit; rounds++) last = await round();
    expect(last.delay).toBeLessThanOrEqual(last.limit);
    expect(new Set(taskIds(client)).size).toBe(client.notifications.length);
  }, 240_000);

  it('is sent nothing of what was there before, and nothing of others', async () => {
    const user = await registerUser(a);
    const other = await registerUser(a);
    await complete(user.api);
    await waitFor('the notification', async () => (await allOf(user.api, INBOX)).length === 1, PATIENCE_MS);
    const client = await open(a, user);
    await complete(other.api);
    const taskId = await complete(user.api);
    await waitFor('the new one', () => client.notifications.length > 0, PATIENCE_MS);
    expect(taskIds(client)).toEqual([taskId]);
  });

  it('is sent again what was made from 10 s before the time it names on', async () => {
    const user = await registerUser(a);
    const times = [-3_600_000, -12_000, -8000, -1000].map((ms) => new Date(Date.now() + ms));
    const entries = times.map((createdAt) => notificationOf(user, createdAt));
    await databaseOf(a).collection('notifications').insertMany(entries);
    const client = await open(a, user, new Date().toISOString());
    await waitFor('the count', () => client.unread === 4, PATIENCE_MS);
    expect(client.notifications.map(({ id }) => id)).toEqual(entries.slice(2).map(({ _id }) => String(_id)));
  });

  it('misses nothing while it connects again and again, here and there', async () => {
    const user = await registerUser(a);
    const seen = new Map<string, string>();
    let since: string | undefined = new Date().toISOString();
    let writing = true;
    const made: string[] = [];
    const write = async () => {
      while (made.length < 80) made.push(await complete(user.api.at(made.length % 2 ? a : b)));
      writing = false;
    };
    const written = write();
    for (let turn = 0; writing || seen.size < made.length; turn++) {
      const client: LiveClient = await open(turn % 2 ? a : b, user, since);
      await delay(Math.random() * 150);
      client.close();
      for (const { data, createdAt } of client.notifications) {
        seen.set(data.taskId as string, createdAt);
        if (since === undefined || createdAt > since) since = createdAt;
      }
      if (turn > 2000) throw new Error(`saw ${seen.size} of ${made.length}`);
    }
    await written;
    expect([...seen.keys()].sort()).toEqual(made.sort());
  }, 180_000);
});

function notificationOf(user: TestUser, createdAt: Date, body = 'Done.') {
  const _id = new ObjectId();
  const [event, title] = ['task.completed', 'Task completed'];
  return { _id, user: new ObjectId(user.id), event, title, body, data: {}, readAt: null, createdAt };
}

describe('a connection ends', () => {
  const auth = (token: unknown) => ({ type: 'auth', token });

  it.each([
    ['no JSON', 'nonsense'],
    ['an unknown message', { type: 'hello' }],
    ['a token that is none', auth('nonsense')],
    ['an API key', auth(`sak_0123456789abcdef01234567_${'x'.repeat(43)}`)],
    ['a token without a signature', auth('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.')],
    ['no token', { type: 'auth' }],
  ])('with 4401 after %s', async (_, message) => {
    const client = await LiveClient.connect(a);
    client.send(message);
    expect((await client.closed)[0]).toBe(4401);
    expect(client.messages).toEqual([]);
  });

  it('with 4401 when its token expires, unless its session was refreshed, on any instance', async () => {
    const c = await startService({ ACCESS_TOKEN_TTL_SECONDS: '10', REDIS_URL: redis.url });
    const d = await c.replica();
    const user = await registerUser(c);
    const other = await logIn(c, user);
    const [expiring, refreshed] = await Promise.all([open(c, user), open(c, other)]);
    const refresh = (refreshToken: unknown) => other.api.at(d).post('/api/v1/auth/refresh', { refreshToken });
    await delay(5000);
    const successor = await refresh(other.tokens.refreshToken);
    expect(successor.status).toBe(200);
    expect(await expiring.closed).toEqual([4401, 'the access token has expired']);
    const late = await LiveClient.connect(c);
    late.send(auth(user.tokens.accessToken));
    expect((await late.closed)[0]).toBe(4401);
    // The other session's first token expires at the same time. Its socket lives as long as the second one.
    await delay(2000);
    expect(refreshed.socket.readyState).toBe(refreshed.socket.OPEN);
    expect(await refreshed.closed).toEqual([4401, 'the access token has expired']);
  }, 60_000);

  it('with 4401 where nothing is said for 5 s', async () => {
    const client = await LiveClient.connect(a);
    const since = Date.now();
    expect((await client.closed)[0]).toBe(4401);
    expect(Date.now() - since).toBeGreaterThan(4500);
  });

  it('without a warning where its client vanishes while it is authenticated', async () => {
    const user = await registerUser(a);
    const before = await metric(a, 'websocket_closed_total{code="1006"}');
    for (let round = 0; round < 30; round++) {
      const client = await LiveClient.connect(a);
      client.socket.send(JSON.stringify({ type: 'auth', token: user.tokens.accessToken }), () => client.close());
    }
    const closed = () => metric(a, 'websocket_closed_total{code="1006"}');
    await waitFor('all to be closed', async () => (await closed()) === before + 30, PATIENCE_MS);
    // It is answered by the same connection pool, so what the others waited for has been answered before.
    await open(a, user);
    const isWarning = ({ level }: { level?: unknown }) => level === 'warn' || level === 'error';
    expect(a.logLines().filter((line) => isWarning(line) && JSON.stringify(line).includes('WebSocket'))).toEqual([]);
  });

  it('with 1008 where the time is none, and where more is said than the token', async () => {
    const user = await registerUser(a);
    const wrong = await LiveClient.connect(a);
    wrong.send({ ...auth(user.tokens.accessToken), since: 'yesterday' });
    expect(await wrong.closed).toEqual([1008, 'since must be an RFC 3339 time']);
    const talker = await open(a, user);
    talker.send({ type: 'hello' });
    expect((await talker.closed)[0]).toBe(1008);
  });

  it('with 1003 after binary data, and with 1009 after too much', async () => {
    const user = await registerUser(a);
    const binary = await open(a, user);
    binary.send(Buffer.from('x'));
    expect((await binary.closed)[0]).toBe(1003);
    const first = await LiveClient.connect(a);
    first.send(Buffer.from(JSON.stringify(auth(user.tokens.accessToken))));
    expect((await first.closed)[0]).toBe(1003);
    expect(first.messages).toEqual([]);
    const big = await LiveClient.connect(a);
    big.send('x'.repeat(20_000));
    expect((await big.closed)[0]).toBe(1009);
  });

  it('with 4429 where the user has ten on this instance', async () => {
    const user = await registerUser(a);
    const ten = await Promise.all(Array.from({ length: 10 }, () => open(a, user)));
    const eleventh = await LiveClient.connect(a);
    eleventh.send(auth(user.tokens.accessToken));
    expect((await eleventh.closed)[0]).toBe(4429);
    ten.pop()?.close();
    await waitFor('the place to be free', async () => {
      const client = await LiveClient.connect(a);
      client.send(auth(user.tokens.accessToken));
      return await Promise.race([client.closed.then(() => false), once(client.socket, 'message').then(() => true)]);
    });
    expect(ten.every(({ socket }) => socket.readyState === socket.OPEN)).toBe(true);
  });

  it('with 4429 where a hundred of one network have not shown a token, and do not close either', async () => {
    const from = (address: string) => ({ headers: { 'X-Forwarded-For': address } });
    const connect = () => LiveClient.connect(a, from('192.0.2.1'));
    const silent = await Promise.all(Array.from({ length: 100 }, connect));
    silent.forEach(({ socket }) => socket.pause()); // so that they don't answer a close frame
    expect((await (await connect()).closed)[0]).toBe(4429);
    const user = await registerUser(a);
    const other = await LiveClient.connect(a, from('192.0.2.2'));
    other.send(auth(user.tokens.accessToken));
    await waitFor('another network to be let in', () => other.messages.some(({ message }) => message.type === 'ready'));
    await delay(6000); // their 5 s are over
    expect((await (await connect()).closed)[0]).toBe(4429);
    await waitFor('the server to cut them', async () => {
      const client = await connect();
      client.send(auth(user.tokens.accessToken));
      await Promise.race([client.closed, once(client.socket, 'message')]);
      return client.messages.length > 0;
    });
  }, 60_000);

  it('before it begins where two hundred of one network have not closed', async () => {
    const from = { 'X-Forwarded-For': '192.0.2.3' };
    const sockets = await Promise.all(Array.from({ length: 200 }, () => rawWebSocket(from)));
    const answer = await handshake(from);
    sockets.forEach((socket) => socket.destroy());
    expect(answer.status).toBe(429);
    expect(answer.headers['retry-after']).toBe('10');
    expect(answer.body).toMatchObject({ status: 429, code: 'RATE_LIMITED' });
  });

  it('within a second of the session, at another instance, and no other of the user', async () => {
    const user = await registerUser(a);
    const again = await logIn(a, user);
    const other = await open(a, again);
    const elapsed = await quickest(1000, async () => {
      const leaving = await logIn(a, user);
      const ended = await open(a, leaving);
      await leaving.api.at(b).post('/api/v1/auth/logout');
      const since = Date.now();
      expect(await ended.closed).toEqual([4401, 'the session has ended']);
      return Date.now() - since;
    });
    expect(elapsed).toBeLessThan(1000);
    await again.api.at(b).post('/api/v1/auth/logout-all');
    expect((await other.closed)[0]).toBe(4401);
    const late = await LiveClient.connect(a);
    late.send(auth(again.tokens.accessToken));
    expect((await late.closed)[0]).toBe(4401);
  });

  it('with 1012 where the instance ends, and goes on at another', async () => {
    const c = await a.replica();
    const user = await registerUser(a);
    const client = await open(c, user, new Date().toISOString());
    const exit = c.stop();
    expect((await client.closed)[0]).toBe(1012);
    const taskId = await complete(user.api);
    const resumed = await open(a, user, new Date(Date.now() - 5000).toISOString());
    await waitFor('the notification', () => taskIds(resumed).includes(taskId), PATIENCE_MS);
    expect(await exit).toBe(0);
  });
});

describe('a client that reads nothing', () => {
  it('costs little memory, is given up, and gets all of it once it is back', async () => {
    const user = await registerUser(b);
    const since = new Date().toISOString();
    const client = await open(b, user, since);
    client.socket.pause();
    const sent = () => metric(b, 'websocket_messages_total{type="notification"}');
    const before = await sent();
    const entries = Array.from({ length: 3000 }, (_, index) =>
      notificationOf(user, new Date(Date.now() + index), 'x'.repeat(10_000)),
    );
    for (let from = 0; from < entries.length; from += 500) {
      await databaseOf(b)
        .collection('notifications')
        .insertMany(entries.slice(from, from + 500));
    }
    await complete(user.api);
    await waitFor('it to be given up', async () => (await metric(b, 'websocket_connections')) === 0, PATIENCE_MS);
    // 30 MB wait for it. The network's buffers take some; the service must not have made the rest, to hold it itself.
    expect((await sent()) - before).toBeLessThan(entries.length / 2);
    const resumed = await open(b, user, since);
    await waitFor('all of them', () => resumed.notifications.length === entries.length + 1, PATIENCE_MS);
  }, 180_000);
});

/** A socket after the handshake, that reads nothing and so never answers a close frame. */
async function rawWebSocket(headers: Record<string, string>): Promise<Socket> {
  const key = randomBytes(16).toString('base64');
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': key,
  };
  const [, socket] = (await once(request(`${a.url}/ws`, { headers: { ...headers, ...upgrade } }).end(), 'upgrade')) as [
    IncomingMessage,
    Socket,
  ];
  socket.on('error', () => undefined);
  return socket;
}

/** The answer to a handshake. */
async function handshake(headers: Record<string, string>) {
  const client = new WebSocket(`${a.url.replace('http', 'ws')}/ws`, { headers });
  client.on('error', () => undefined);
  const refused = once(client, 'unexpected-response').then(([, response]) => response as IncomingMessage);
  const response = await Promise.race([refused, once(client, 'open').then(() => null)]);
  const body = response && ((await json(response)) as Record<string, unknown>);
  const answer = { status: response?.statusCode ?? 101, headers: response?.headers ?? {}, body };
  client.terminate();
  return answer;
}

describe('a handshake', () => {
  it.each([
    ['a page of another site', 'https://evil.example.org'],
    ['a page that has no origin', 'null'],
    ['a page of the same host on another port', 'http://127.0.0.1:5001'],
    ['a page whose origin begins like a listed one', 'https://app.example.org.evil.example.org'],
  ])('is refused to %s', async (_, Origin) => {
    const { status, body } = await handshake({ Origin });
    expect(status).toBe(403);
    expect(body).toMatchObject({ status: 403, code: 'FORBIDDEN', instance: '/ws' });
  });

  it.each([
    ['the service itself', 'http://127.0.0.1:5000'],
    ['CORS_ORIGINS', 'https://app.example.org'],
  ])('is open to pages of %s', async (_, Origin) => {
    expect((await handshake({ Origin })).status).toBe(101);
  });

  it('selects no subprotocol', async () => {
    const client = new WebSocket(`${a.url.replace('http', 'ws')}/ws`, ['graphql-ws', 'bearer']);
    // A client that insists on a subprotocol must notice that it has none.
    const [error] = (await once(client, 'error')) as [Error];
    expect(error.message).toBe('Server sent no subprotocol');
  });
});

describe('a request for an upgrade', () => {
  const upgrade = async (path: string, protocol: string): Promise<number | undefined> => {
    const headers = { Connection: 'Upgrade', Upgrade: protocol };
    const [response] = (await once(request(a.url + path, { headers }).end(), 'response')) as [{ statusCode?: number }];
    return response.statusCode;
  };

  it('to another protocol is answered as if it were none', async () => {
    expect(await upgrade('/health/live', 'h2c')).toBe(200);
    expect(await upgrade('/api/v1/tasks', 'h2c')).toBe(401);
  });

  it('to a WebSocket is answered so elsewhere, and 400 where it is no proper one', async () => {
    expect(await upgrade('/health/live', 'websocket')).toBe(200);
    expect(await upgrade('/nowhere', 'websocket')).toBe(404);
    expect(await upgrade('/ws', 'websocket')).toBe(400);
  });
});

describe('while Redis is away', () => {
  afterEach(async () => {
    redis.resume();
    await waitFor('both to have it back', async () => {
      const answers = await Promise.all([a, b].map(({ url }) => fetch(`${url}/health/ready`)));
      return answers.every(({ ok }) => ok);
    });
  });

  it('a client is sent what another instance wrote all the same, and its session ends as soon', async () => {
    const user = await registerUser(a);
    const client = await open(a, user);
    await redis.kill();
    const taskId = await complete(user.api.at(b));
    await waitFor('the notification', () => client.notifications.length > 0, PATIENCE_MS);
    expect(taskIds(client)).toEqual([taskId]);
    const elapsed = await quickest(1500, async () => {
      const leaving = await logIn(a, user);
      const ended = await open(a, leaving);
      await leaving.api.at(b).post('/api/v1/auth/logout');
      const since = Date.now();
      expect((await ended.closed)[0]).toBe(4401);
      return Date.now() - since;
    });
    expect(elapsed).toBeLessThan(1500);
    await redis.start();
  });

  it('a connection whose token expires is closed with 1013, for the client to connect with the newest one', async () => {
    const c = await startService({ ACCESS_TOKEN_TTL_SECONDS: '10', REDIS_URL: redis.url });
    const user = await registerUser(c);
    const client = await open(c, user);
    await redis.kill();
    expect(await client.closed).toEqual([1013, 'connect again with the newest token']);
    await redis.start();
  }, 60_000);

  it.each<[string, () => unknown, () => unknown]>([
    ['is killed and comes back', () => redis.kill(), () => redis.start()],
    ['hangs for a while', () => redis.pause(), () => redis.resume()],
  ])(
    'nothing is lost to a client that stays, when it %s',
    async (_, takeAway, giveBack) => {
      const user = await registerUser(a);
      const client = await open(a, user);
      const made: string[] = [];
      const makeSome = async () => {
        for (let count = 0; count < 5; count++) made.push(await complete(user.api.at(b)));
      };
      for (let turn = 0; turn < 3; turn++) {
        await makeSome();
        await takeAway();
        await makeSome();
        await giveBack();
        // Before anything else is made: news of that would bring what was missed as well.
        await waitFor('all of them', () => client.notifications.length >= made.length, PATIENCE_MS);
      }
      expect(taskIds(client).sort()).toEqual(made.sort());
      expect(client.socket.readyState).toBe(client.socket.OPEN);
    },
    240_000,
  );
});
