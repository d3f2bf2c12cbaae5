import { gzipSync } from 'node:zlib';
import { ApiClient, type ApiResponse, type PageOf, type Problem, sendRaw } from '../support/api-client.js';
import { ConditionalRoutes } from '../support/conditional-routes.js';
import { Api } from '../support/openapi.js';
import { RawConnection } from '../support/raw-http.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, type TaskBody, TASKS } from '../support/tasks.js';
import { createApiKey, registerUser, registerVerifiedUser, type TestUser } from '../support/users.js';

/** What HTTP itself asks of every route (RFC 9110, 9112), told over one service. */
let service: TestService;
let user: TestUser;
beforeAll(async () => {
  service = await startService();
  user = await registerUser(service);
});

/** Sends a message byte for byte; its connection is to be closed by the service. */
async function exchange(...lines: string[]) {
  const connection = await RawConnection.open(service);
  connection.send(lines.join('\r\n'));
  return await connection.untilClosed();
}

describe('a client that does not wait', () => {
  const isAlive = async () => (await new ApiClient(service).get('/health/live')).status === 200 && service.isRunning;

  it('does no harm by a reset after CONNECT', async () => {
    for (let time = 0; time < 50; time++) {
      const connection = await RawConnection.open(service);
      connection.send('CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n');
      connection.reset();
    }
    expect(await isAlive()).toBe(true);
  });

  it.each(['Connection: Upgrade\r\nUpgrade: h2c', 'Connection: Upgrade\r\nUpgrade: websocket'])(
    'does no harm by an upgrade behind a request that is being answered (%j)',
    async (upgrade) => {
      for (const path of ['/health', '/ws']) {
        await exchange(`GET /health HTTP/1.1\r\nHost: x\r\n\r\nGET ${path} HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n\r\n`);
      }
      expect(await isAlive()).toBe(true);
    },
  );
});

describe('a request without content', () => {
  const TYPES = ['application/x-www-form-urlencoded', 'text/plain', 'multipart/form-data; boundary=x', 'nonsense'];
  const framings: [string, (type: string) => string[]][] = [
    ['a length of 0', (type) => [`Content-Type: ${type}`, 'Content-Length: 0', '', '']],
    ['no chunk', (type) => [`Content-Type: ${type}`, 'Transfer-Encoding: chunked', '', '0', '', '']],
  ];

  it.each(framings)('has no media type, at every operation: %s', async (_, contentOf) => {
    const mutations = (await Api.of(service)).operations.filter(({ method }) => method !== 'GET');
    expect(mutations.length).toBeGreaterThan(30);
    const refused: string[] = [];
    for (const { method, path } of mutations) {
      // A chunked message may still be of a type that can't be one.
      for (const type of TYPES.slice(0, 3)) {
        const head = [`${method} ${path.replace(/\{\w+\}/g, '0'.repeat(24))} HTTP/1.1`, 'Host: x', 'Connection: close'];
        const { status } = await exchange(...head, ...contentOf(type));
        if (![400, 401].includes(status)) refused.push(`${method} ${path} as ${type}: ${status}`);
      }
    }
    expect(refused).toEqual([]);
  });

  it.each(TYPES)('is answered 400 about the body where one is needed, as %s', async (type) => {
    const head = ['POST /api/v1/auth/login HTTP/1.1', 'Host: x', 'Connection: close'];
    const { status, body } = await exchange(...head, `Content-Type: ${type}`, 'Content-Length: 0', '', '');
    expect([status, (JSON.parse(body) as Problem).errors]).toEqual([
      400,
      [{ field: 'body', message: 'must be a JSON object' }],
    ]);
  });

  it.each(TYPES)('is carried out where none is needed, as %s', async (type) => {
    const { status } = await user.api.post('/api/v1/notifications/read-all', undefined, { 'Content-Type': type });
    expect(status).toBe(204);
  });

  it('is 404 at an address that does not exist', async () => {
    const { status } = await sendRaw(service, 'POST', '/nowhere', { 'Content-Type': 'text/plain' });
    expect(status).toBe(404);
  });
});

describe('content in another coding', () => {
  const send = (coding: string, body: Uint8Array) =>
    fetch(new URL(TASKS, service.url), {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${user.api.accessToken}`,
        'Content-Type': 'application/json',
        'Content-Encoding': coding,
      },
      body: new Uint8Array(body),
    });
  const task = Buffer.from('{"title":"Water the plants"}');

  it.each(['gzip', 'br', 'identity, gzip', 'x-unknown'])('is 415 with the coding that is read: %s', async (coding) => {
    const answer = await send(coding, gzipSync(task));
    expect([answer.status, answer.headers.get('accept-encoding')]).toEqual([415, 'identity']);
    expect(await answer.json()).toMatchObject({ code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  it.each(['identity', 'Identity, identity'])('than none is read: %s', async (coding) => {
    expect((await send(coding, task)).status).toBe(201);
  });

  it('does not matter where there is no content', async () => {
    const { status } = await new ApiClient(service, user.api.accessToken).get(TASKS, { 'Content-Encoding': 'gzip' });
    expect(status).toBe(200);
  });
});

describe('conditions', () => {
  type Case = [headers: Record<string, string>, status: number];
  /** Needs the code of an SMS: the phone's own tests ask it. */
  const ELSEWHERE = ['POST /api/v1/users/me/phone/verify'];

  it('are kept by every operation that is documented to', async () => {
    const [{ operations }, routes] = [await Api.of(service), await ConditionalRoutes.of(service)];
    const conditional = operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'If-Match'));
    const named = conditional.map(({ method, path }) => `${method} ${path}`);
    expect(named.sort()).toEqual([...Object.keys(routes.requests), ...ELSEWHERE].sort());

    const faults: string[] = [];
    for (const operation of conditional) {
      const name = `${operation.method} ${operation.path}`;
      const prepare = routes.requests[name];
      if (!prepare) continue;
      const { send, etag } = await prepare();
      const before = await etag();
      const isRead = operation.method === 'GET';
      const expected: Case[] = [
        [{ 'If-Match': '"999999"' }, 412],
        [{ 'If-Match': before.replace('"', '"0') || '""' }, 412],
        [{ 'If-Match': 'nonsense' }, 412],
        ...(before === '' ? [] : [[{ 'If-None-Match': `"other", W/${before}` }, isRead ? 304 : 412] as Case]),
        [{ 'If-None-Match': '*' }, isRead ? 304 : 412],
        [{ 'If-Match': '"999999"', 'If-None-Match': '*' }, 412],
      ];
      for (const [headers, wanted] of expected) {
        const { status, body } = await send(headers);
        const code = (body as Problem | undefined)?.code;
        if (status !== wanted || (wanted === 412 && code !== 'VERSION_MISMATCH')) {
          faults.push(`${name} with ${JSON.stringify(headers)}: ${status} ${code}`);
        }
      }
      if ((await etag()) !== before) faults.push(`${name} changed something although it was refused`);

      const current = before === '' ? '*' : `"other", W/${before}`;
      const done = await send({ 'If-Match': current, 'If-None-Match': '"999999", nonsense' });
      if (done.status >= 400) faults.push(`${name} with the current tag: ${done.status} ${JSON.stringify(done.body)}`);
      const promised = operation.responses[done.status]?.headers ?? {};
      const after = await etag();
      const isThere = after !== '' && !operation.path.startsWith('/api/v1/notifications/{');
      if ('ETag' in promised && isThere && done.headers.get('etag') !== after) {
        faults.push(`${name} answered ${done.headers.get('etag')}, and the resource has ${after}`);
      }
    }
    expect(faults).toEqual([]);
  }, 60_000);

  it('are those of every read', async () => {
    const reads = (await Api.of(service)).operations.filter(({ method }) => method === 'GET');
    const without = reads.filter(({ parameters }) => !parameters.some(({ name }) => name === 'If-None-Match'));
    // A redirection for everybody: conditions are ignored where the answer isn't 2xx (RFC 9110, 13.2.1).
    expect(without.map(({ path }) => path)).toEqual(['/api/v1/users/{id}/avatar/{avatarId}']);
  });

  it('do not hide that there is nothing', async () => {
    for (const headers of [{ 'If-Match': '"1"' }, { 'If-None-Match': '*' }] as Record<string, string>[]) {
      const { status } = await user.api.get(`/api/v1/notifications/${'0'.repeat(24)}/deliveries`, headers);
      expect(status).toBe(404);
    }
  });

  it('on restoring are about the tag that the deletion answered', async () => {
    const { body: task } = await user.api.post<TaskBody>(TASKS, { title: 'Water the plants' });
    const path = `${TASKS}/${task.id}`;
    const deleted = await user.api.delete(path, { 'If-Match': '"1"' });
    expect([deleted.status, deleted.headers.get('etag')]).toEqual([204, '"2"']);
    expect((await user.api.post(`${path}/restore`, undefined, { 'If-Match': '"1"' })).status).toBe(412);
    expect((await user.api.get(path)).status).toBe(404);
    const restored = await user.api.post<TaskBody>(`${path}/restore`, undefined, { 'If-Match': '"2"' });
    expect([restored.status, restored.headers.get('etag'), restored.body.version]).toEqual([200, '"3"', 3]);
  });
});

describe('a challenge', () => {
  const CHALLENGE = 'Bearer realm="scalable-api"';
  const BAD_TOKEN = `${CHALLENGE}, error="invalid_token"`;

  it('is in every 401, and says where a token is bad', async () => {
    // `{}` stands for no token: nobody is refused for want of one there.
    const isClosed = (security: unknown[]) => security.length > 0 && JSON.stringify(security[0]) !== '{}';
    const closed = (await Api.of(service)).operations.filter(({ security = [] }) => isClosed(security));
    expect(closed.length).toBeGreaterThan(40);
    const faults: string[] = [];
    for (const { method, path } of closed) {
      for (const [token, wanted] of [
        [undefined, CHALLENGE],
        ['a.b.c', BAD_TOKEN],
        ['sak_unknown', BAD_TOKEN],
        ['two words', BAD_TOKEN],
      ]) {
        const target = path.replace(/\{\w+\}/g, '0'.repeat(24));
        const { status, headers } = await new ApiClient(service, token).send(method, target);
        const challenge = headers.get('www-authenticate');
        if (status !== 401 || challenge !== wanted) faults.push(`${method} ${path}, ${token}: ${status} ${challenge}`);
      }
    }
    expect(faults).toEqual([]);
  }, 30_000);

  it.each([
    ['/api/v1/auth/login', { email: 'nobody@example.org', password: 'wrong-horse-battery' }],
    ['/api/v1/auth/refresh', { refreshToken: 'unknown' }],
    ['/api/v1/auth/login/mfa', { mfaToken: 'unknown', code: '123456' }],
    ['/api/v1/auth/email/verify', { token: 'unknown' }],
  ])('blames no token where none is meant: %s', async (path, body) => {
    const { status, headers } = await new ApiClient(service).post(path, body);
    if (status !== 400) expect([status, headers.get('www-authenticate')]).toEqual([401, CHALLENGE]);
  });

  it('names the scopes that an API key lacks', async () => {
    const owner = await registerVerifiedUser(service);
    const { api } = await createApiKey(owner, ['tasks:read']);
    const challengeOf = async (method: string, path: string) => {
      const { status, headers } = await api.send(method, path);
      return [status, headers.get('www-authenticate')];
    };
    const lacking = (scope: string) => [403, `${CHALLENGE}, error="insufficient_scope", scope="${scope}"`];
    expect(await challengeOf('POST', TASKS)).toEqual(lacking('tasks:write'));
    expect(await challengeOf('GET', '/api/v1/notifications')).toEqual(lacking('notifications:read'));
    expect(await challengeOf('GET', '/api/v1/users/me')).toEqual(lacking('users:read'));
    // Another scope would change nothing about these.
    expect(await challengeOf('GET', '/api/v1/auth/sessions')).toEqual([403, null]);
    expect(await challengeOf('GET', '/api/v1/users')).toEqual([403, null]);
  });
});

describe('a message', () => {
  const LIVE = '/health/live';
  const END = ['Connection: close', '', ''];
  const UPGRADE = ['Host: x', 'Connection: Upgrade', 'Upgrade: websocket'];
  const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';

  it.each<[string, number, string, string[], Record<string, string>?]>([
    ['without a host', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, ...END]],
    ['with two hosts', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, 'Host: x', 'Host: x', ...END]],
    ['with a path for a host', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, 'Host: x/y', ...END]],
    ['with two names for a host', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, 'Host: x, y', ...END]],
    ['with a login for a host', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, 'Host: a@x', ...END]],
    ['with a port that is none', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, 'Host: x:port', ...END]],
    [
      'with an unknown expectation',
      417,
      'EXPECTATION_FAILED',
      [`GET ${LIVE} HTTP/1.1`, 'Host: x', 'Expect: x', ...END],
    ],
    ['to the server as a whole', 404, 'NOT_FOUND', ['OPTIONS * HTTP/1.1', 'Host: x', ...END]],
    ['with an unknown method', 501, 'NOT_IMPLEMENTED', [`BREW ${LIVE} HTTP/1.1`, 'Host: x', ...END]],
    ['for a tunnel', 501, 'NOT_IMPLEMENTED', ['CONNECT x:443 HTTP/1.1', 'Host: x:443', ...END]],
    [
      'with QUERY',
      405,
      'METHOD_NOT_ALLOWED',
      [`QUERY ${TASKS} HTTP/1.1`, 'Host: x', ...END],
      { allow: 'GET, HEAD, POST' },
    ],
    ['with QUERY to nowhere', 404, 'NOT_FOUND', ['QUERY /nowhere HTTP/1.1', 'Host: x', ...END]],
    ['with TRACE', 405, 'METHOD_NOT_ALLOWED', [`TRACE ${LIVE} HTTP/1.1`, 'Host: x', ...END], { allow: 'GET, HEAD' }],
    ['with a long address', 414, 'URI_TOO_LONG', [`GET ${LIVE}?${'x'.repeat(15_000)} HTTP/1.1`, 'Host: x', ...END]],
    ['with a long parameter', 414, 'URI_TOO_LONG', [`GET ${TASKS}/${'x'.repeat(15_000)} HTTP/1.1`, 'Host: x', ...END]],
    ['with a header that is none', 400, 'BAD_REQUEST', [`GET ${LIVE} HTTP/1.1`, 'Host: x', 'no colon', ...END]],
    [
      'for a WebSocket without an upgrade',
      426,
      'UPGRADE_REQUIRED',
      ['GET /ws HTTP/1.1', 'Host: x', ...END],
      { upgrade: 'websocket', 'sec-websocket-version': '13' },
    ],
    [
      'for a WebSocket by POST',
      405,
      'METHOD_NOT_ALLOWED',
      ['POST /ws HTTP/1.1', 'Host: x', ...END],
      { allow: 'GET, HEAD' },
    ],
    [
      'for an upgrade by POST',
      405,
      'METHOD_NOT_ALLOWED',
      ['POST /ws HTTP/1.1', ...UPGRADE, KEY, 'Sec-WebSocket-Version: 13', '', ''],
      { allow: 'GET' },
    ],
    [
      'for an old WebSocket',
      426,
      'UPGRADE_REQUIRED',
      ['GET /ws HTTP/1.1', ...UPGRADE, KEY, 'Sec-WebSocket-Version: 12', '', ''],
      { upgrade: 'websocket', 'sec-websocket-version': '13' },
    ],
    [
      'for a WebSocket without a key',
      400,
      'BAD_REQUEST',
      ['GET /ws HTTP/1.1', ...UPGRADE, 'Sec-WebSocket-Version: 13', '', ''],
    ],
    [
      'for a WebSocket without a host',
      400,
      'BAD_REQUEST',
      ['GET /ws HTTP/1.1', ...UPGRADE.slice(1), KEY, 'Sec-WebSocket-Version: 13', '', ''],
    ],
  ])('%s is answered %d %s', async (_, expected, code, lines, wanted = {}) => {
    const { status, headers, body } = await exchange(...lines);
    expect([status, headers.get('content-type')]).toEqual([expected, 'application/problem+json; charset=utf-8']);
    const problem = JSON.parse(body) as Problem;
    expect(problem).toMatchObject({ status: expected, code, requestId: headers.get('x-request-id') });
    expect(problem.requestId).toMatch(/^[0-9a-f-]{36}$/);
    for (const [name, value] of Object.entries(wanted)) expect([name, headers.get(name)]).toEqual([name, value]);
    expect((await new ApiClient(service).get(LIVE)).status).toBe(200);
  });

  it.each([
    ['of HTTP/1.0 without a host', [`GET ${LIVE} HTTP/1.0`, '', '']],
    ['with an IPv6 address and a port', [`GET ${LIVE} HTTP/1.1`, 'Host: [::1]:5000', ...END]],
    ['with an empty host', [`GET ${LIVE} HTTP/1.1`, 'Host:', ...END]],
    ['with the name of a container', [`GET ${LIVE} HTTP/1.1`, 'Host: my_service:5000', ...END]],
  ])('%s is proper', async (_, lines) => {
    expect((await exchange(...lines)).status).toBe(200);
  });

  it('with Expect: 100-continue gets 100 Continue', async () => {
    const connection = await RawConnection.open(service);
    connection.send([`GET ${LIVE} HTTP/1.1`, 'Host: x', 'Expect: 100-continue', ...END].join('\r\n'));
    await connection.untilClosed();
    expect(connection.text).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/);
  });

  it('that asks for the methods of an address is answered 204 with them', async () => {
    const anonymous = new ApiClient(service);
    for (const [path, allowed] of [
      [TASKS, 'GET, HEAD, POST'],
      [`${TASKS}/0123456789abcdef01234567`, 'DELETE, GET, HEAD, PATCH'],
      ['/api/v1/auth/login', 'POST'],
      ['/ws', 'GET, HEAD'],
    ] as const) {
      for (const origin of [undefined, { Origin: 'https://elsewhere.example' }]) {
        const { status, headers, body } = await anonymous.send('OPTIONS', path, undefined, origin);
        expect([path, status, headers.get('allow'), body]).toEqual([path, 204, allowed, undefined]);
        expect(headers.get('x-request-id')).not.toBeNull();
      }
    }
    expect((await anonymous.send<Problem>('OPTIONS', '/nowhere')).body.code).toBe('NOT_FOUND');
  });

  it('for a part that a file does not have is answered 416 with its size', async () => {
    const { status, headers, body } = await sendRaw<Problem>(service, 'GET', '/docs/swagger-ui.css', {
      Range: 'bytes=999999999-',
    });
    expect([status, body.code]).toEqual([416, 'RANGE_NOT_SATISFIABLE']);
    expect(headers.get('content-range')).toMatch(/^bytes \*\/\d+$/);
  });
});

describe('a page of a list', () => {
  it('links to the next one, cached or not, until the last', async () => {
    const owner = await registerUser(service);
    for (const title of ['one', 'two', 'three']) await createTask(owner.api, { title, tags: ['a&b'] });
    const titles: string[] = [];
    const outcomes: (string | null)[] = [];
    let next = `${TASKS}?limit=1&tag=a%26b&sort=createdAt`;
    while (next !== '') {
      for (const ask of ['first', 'again']) {
        const { headers, body }: ApiResponse<PageOf<TaskBody>> = await owner.api.get(next);
        outcomes.push(headers.get('x-cache'));
        const link: string = /^<(.+)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
        expect(link === '').toBe(body.page.nextCursor === null);
        if (ask === 'first') continue;
        titles.push(...body.data.map(({ title }) => title));
        next = link;
      }
    }
    expect(titles).toEqual(['one', 'two', 'three']);
    expect(outcomes).toContain('HIT');
    const history = await owner.api.get(`${TASKS}/${(await createTask(owner.api)).id}/history`);
    expect(history.headers.has('link')).toBe(false);
  });

  it('links from lists that are not cached', async () => {
    const sessions = await registerUser(service);
    const { id } = await createTask(sessions.api);
    for (const title of ['a', 'b', 'c']) await sessions.api.patch(`${TASKS}/${id}`, { title });
    const { headers } = await sessions.api.get(`${TASKS}/${id}/history?limit=2`);
    expect(headers.get('link')).toMatch(new RegExp(`^<${TASKS}/${id}/history\\?limit=2&cursor=[^>]+>; rel="next"$`));
  });
});

it.each([
  ['2031-01-31t09:30:00.000z', '2031-01-31T09:30:00.000Z'],
  ['2031-06-30T23:59:60Z', '2031-07-01T00:00:00.000Z'],
  ['2031-06-30T15:59:60.5-08:00', '2031-07-01T00:00:00.500Z'],
])('the time %s is %s', async (dueDate, expected) => {
  const task = await createTask(user.api, { dueDate });
  expect(task.dueDate).toBe(expected);
  const { status } = await user.api.get(`${TASKS}?dueBefore=${encodeURIComponent(dueDate)}`);
  expect(status).toBe(200);
});
