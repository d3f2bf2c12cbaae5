import { ApiClient, type Problem, sendRaw } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let service: TestService;
let user: TestUser;
let anonymous: ApiClient;
beforeAll(async () => {
  service = await startService({ CORS_ORIGINS: 'https://app.example.org' });
  anonymous = new ApiClient(service);
  user = await registerUser(service);
});

describe('an error', () => {
  it.each([
    ['VALIDATION_FAILED', 400, () => user.api.post<Problem>(TASKS, {})],
    ['MALFORMED_BODY', 400, () => user.api.post<Problem>(TASKS, '{')],
    ['UNAUTHENTICATED', 401, () => anonymous.get<Problem>(TASKS)],
    ['FORBIDDEN', 403, () => user.api.get<Problem>('/api/v1/users')],
    ['NOT_FOUND', 404, () => anonymous.get<Problem>('/nowhere')],
    ['METHOD_NOT_ALLOWED', 405, () => anonymous.put<Problem>(TASKS)],
    ['PAYLOAD_TOO_LARGE', 413, () => user.api.post<Problem>(TASKS, `"${'x'.repeat(1024 * 1024)}"`)],
    ['UNSUPPORTED_MEDIA_TYPE', 415, () => user.api.post<Problem>(TASKS, 'x', { 'Content-Type': 'text/plain' })],
  ])('%s is a problem document (RFC 9457) with all its members', async (code, status, provoke) => {
    const { status: received, headers, body } = await provoke();
    expect(received).toBe(status);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json(; charset=utf-8)?$/);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(body).toEqual({
      type: `http://127.0.0.1:5000/problems/${code.toLowerCase().replaceAll('_', '-')}`,
      title: expect.stringMatching(/^[A-Z]/) as string,
      status,
      detail: expect.stringMatching(/\.$/) as string,
      instance: expect.stringMatching(/^\//) as string,
      code,
      requestId: headers.get('x-request-id'),
      ...(code === 'VALIDATION_FAILED' ? { errors: [{ field: 'title', message: expect.any(String) as string }] } : {}),
    });
  });

  it('says which resource, without the query, which may hold what is private', async () => {
    const { body } = await user.api.get<Problem>(`${TASKS}/nonsense?secret=1`);
    expect(body.instance).toBe(`${TASKS}/nonsense`);
    expect(JSON.stringify(body)).not.toContain('secret=');
  });

  it('holds no stack and no words of a library', async () => {
    const answers = await Promise.all([
      user.api.post<Problem>(TASKS, '{"title": }'),
      user.api.post<Problem>(TASKS, { title: { $gt: '' } }),
      anonymous.get<Problem>('/nowhere'),
      user.api.get<Problem>(`${TASKS}?cursor=x`),
    ]);
    for (const { body } of answers) {
      expect(JSON.stringify(body)).not.toMatch(
        /node_modules|\bat \w+\.|Error:|FST_|Mongo|Cast to|Cannot GET|Unexpected token/,
      );
    }
  });
});

describe('an address', () => {
  it.each([
    '/api',
    '/api/v1',
    '/api/v1/',
    '/api/v1/tasks/',
    '/api/v2/tasks',
    '/tasks',
    '/API/v1/tasks',
    '/metrics',
    '/favicon.ico',
    '/.env',
  ])('that does not exist is 404: %s', async (path) => {
    const { status, body } = await anonymous.get<Problem>(path);
    expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
  });

  it.each([
    ['PUT', TASKS, 'GET, HEAD, POST'],
    ['POST', `${TASKS}/0123456789abcdef01234567`, 'DELETE, GET, HEAD, PATCH'],
    ['DELETE', '/health', 'GET, HEAD'],
    ['GET', '/api/v1/auth/login', 'POST'],
    ['POST', '/.well-known/jwks.json', 'GET, HEAD'],
  ])('that exists answers 405 with Allow to another method: %s %s', async (method, path, allowed) => {
    const { status, headers, body } = await user.api.send<Problem>(method, path);
    expect([status, body.code]).toEqual([405, 'METHOD_NOT_ALLOWED']);
    expect(headers.get('allow')).toEqual(allowed);
  });

  it('answers HEAD like GET, without the body', async () => {
    const { id } = await createTask(user.api);
    const answer = await user.api.send('HEAD', `${TASKS}/${id}`);
    expect([answer.status, answer.body, answer.headers.get('etag')]).toEqual([200, undefined, '"1"']);
  });
});

describe('the request id', () => {
  it.each(['a', 'A-Za-z0-9._-', 'x'.repeat(128)])('of the client is kept: %s', async (id) => {
    const { headers } = await anonymous.get('/health/live', { 'X-Request-Id': id });
    expect(headers.get('x-request-id')).toBe(id);
  });

  it.each(['x'.repeat(129), 'with space', '<script>', 'a/b', 'a,b', 'ümlaut'])(
    'of the client is replaced where it is not a proper one: %s',
    async (id) => {
      const { headers } = await anonymous.get('/health/live', { 'X-Request-Id': id });
      expect(headers.get('x-request-id')).toMatch(UUID);
    },
  );

  it('is made where there is none, and is another for each request', async () => {
    const answers = await Promise.all([anonymous.get('/health/live'), anonymous.get('/nowhere')]);
    const ids = answers.map(({ headers }) => headers.get('x-request-id'));
    expect(new Set(ids).size).toBe(2);
    for (const id of ids) expect(id).toMatch(UUID);
  });

  it('stands in the problem and in every line of the log about the request', async () => {
    const id = `test-${Date.now()}`;
    const { body } = await user.api.get<Problem>(`${TASKS}/nonsense`, { 'X-Request-Id': id });
    expect(body.requestId).toBe(id);
    const line = await waitFor('the line', () => service.logLines().find(({ requestId }) => requestId === id));
    expect(line).toMatchObject({ method: 'GET', status: 404, route: `${TASKS}/:id`, userId: user.id, level: 'info' });
  });
});

describe('other origins', () => {
  it('are allowed where they are configured, with the headers a client needs', async () => {
    const { headers } = await anonymous.get('/health/live', { Origin: 'https://app.example.org' });
    expect(headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    const exposed = (headers.get('access-control-expose-headers') ?? '').split(/,\s*/);
    const needed = ['ETag', 'Location', 'Retry-After', 'X-Cache', 'X-Request-Id'];
    const limits = ['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset'];
    expect(exposed).toEqual(expect.arrayContaining([...needed, ...limits]));
  });

  it('are answered in advance', async () => {
    const { status, headers } = await anonymous.send('OPTIONS', TASKS, undefined, {
      Origin: 'https://app.example.org',
      'Access-Control-Request-Method': 'PATCH',
      'Access-Control-Request-Headers': 'authorization, if-match',
    });
    expect(status).toBe(204);
    const allowed = (headers.get('access-control-allow-methods') ?? '').split(/,\s*/);
    expect(allowed).toEqual(expect.arrayContaining(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']));
    expect(headers.get('access-control-allow-headers')).toContain('If-Match');
  });

  it('are not allowed otherwise', async () => {
    const { headers } = await anonymous.get('/health/live', { Origin: 'https://evil.example.org' });
    expect(headers.get('access-control-allow-origin')).not.toBe('https://evil.example.org');
    expect(headers.get('access-control-allow-origin')).not.toBe('*');
  });
});

it('sends the headers that protect browsers', async () => {
  const { headers } = await sendRaw(service, 'GET', '/health/live');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(headers.get('x-powered-by')).toBeNull();
});
