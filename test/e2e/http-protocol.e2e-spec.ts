import { gzipSync } from 'node:zlib';
import { ApiClient, type Problem, sendRaw } from '../support/api-client.js';
import { ConditionalRoutes } from '../support/conditional-routes.js';
import { Api } from '../support/openapi.js';
import { RawConnection } from '../support/raw-http.js';
import { startService, type TestService } from '../support/service.js';
import { type TaskBody, TASKS } from '../support/tasks.js';
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
      const expected: [Record<string, string>, number][] = [
        [{ 'If-Match': '"999999"' }, 412],
        [{ 'If-Match': before.replace('"', '"0') }, 412],
        [{ 'If-Match': 'nonsense' }, 412],
        [{ 'If-None-Match': `"other", W/${before}` }, isRead ? 304 : 412],
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

      const done = await send({ 'If-Match': `"other", W/${before}`, 'If-None-Match': '"999999", nonsense' });
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
    const closed = (await Api.of(service)).operations.filter(({ security = [] }) => security.length === 1);
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
