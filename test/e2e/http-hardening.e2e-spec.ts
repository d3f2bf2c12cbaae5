import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient, type Problem, sendRaw } from '../support/api-client.js';
import { RawConnection } from '../support/raw-http.js';
import { startService, type TestService } from '../support/service.js';
import { newEmail, registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const ORIGIN = 'https://app.example.org';
const REQUEST_TIMEOUT_SECONDS = 2;
const STRICT_LIMIT = 2;

const address = () => `10.${randomInt(256)}.${randomInt(256)}.${randomInt(1, 255)}`;

describe('an instance that clients reach directly', () => {
  let service: TestService;
  let api: ApiClient;

  beforeAll(async () => {
    service = await startService({
      CORS_ORIGINS: `${ORIGIN},https://admin.example.org`,
      REQUEST_TIMEOUT_SECONDS: String(REQUEST_TIMEOUT_SECONDS),
    });
    api = new ApiClient(service);
  });

  describe('browsers of other origins', () => {
    const preflight = (origin: string) =>
      api.send('OPTIONS', '/api/v1/tasks', undefined, {
        Origin: origin,
        'Access-Control-Request-Method': 'PATCH',
        'Access-Control-Request-Headers': 'authorization, if-match',
      });

    it('answers a preflight of a listed origin with what it may send', async () => {
      const { status, headers } = await preflight(ORIGIN);
      expect(status).toBe(204);
      expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(headers.get('access-control-allow-methods')).toBe('GET, HEAD, POST, PUT, PATCH, DELETE');
      expect(headers.get('access-control-allow-headers')).toBe(
        'Authorization, Content-Type, If-Match, If-None-Match, Idempotency-Key, X-Request-Id',
      );
      expect(headers.get('access-control-max-age')).toBe('600');
      expect(headers.has('access-control-allow-credentials')).toBe(false);
      expect(headers.get('vary')).toMatch(/\borigin\b/i);
    });

    it('lets a listed origin read the headers of the contract, in errors too', async () => {
      const { status, headers } = await api.get('/api/v1/tasks', { Origin: ORIGIN });
      expect(status).toBe(401);
      expect(headers.get('access-control-allow-origin')).toBe(ORIGIN);
      expect(headers.get('access-control-expose-headers')?.split(', ')).toEqual(
        expect.arrayContaining(['ETag', 'Location', 'Retry-After', 'RateLimit-Limit', 'X-Cache', 'X-Request-Id']),
      );
      expect(headers.get('access-control-expose-headers')).toContain('Idempotency-Replayed');
    });

    it.each([
      'https://evil.example',
      'https://app.example.org.evil.example',
      'https://evil-app.example.org',
      'http://app.example.org',
      'https://app.example.org:8443',
      'https://APP.example.org',
      'https://app.example.org/',
      `${ORIGIN}, https://evil.example`,
      'null',
      '*',
      '',
      'app.example.org',
    ])('gives %j no CORS header', async (origin) => {
      for (const { headers } of [await preflight(origin), await api.get('/health/live', { Origin: origin })]) {
        expect([...headers.keys()].filter((name) => name.startsWith('access-control-'))).toEqual([]);
        expect(headers.get('vary')).toMatch(/\borigin\b/i);
      }
    });
  });

  describe('the headers of answers', () => {
    it('lets nothing in an answer of the API run or be framed', async () => {
      const { headers } = await api.get('/api/v1/tasks');
      expect(headers.get('content-security-policy')).toMatch(/^default-src 'none';.*frame-ancestors 'none'/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('strict-transport-security')).toMatch(/^max-age=\d{8,}/);
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.has('x-powered-by')).toBe(false);
      expect(headers.has('server')).toBe(false);
    });

    it('lets Swagger UI run its own scripts and no others', async () => {
      const { status, headers } = await api.get('/docs');
      expect(status).toBe(200);
      expect(headers.get('content-security-policy')).toMatch(/script-src 'self';/);
    });

    it('has answers with tokens kept nowhere, and those of a user only by the browser that asks again', async () => {
      const user = await registerUser(service);
      const login = await api.post('/api/v1/auth/login', { email: user.email, password: user.password });
      expect(login.headers.get('cache-control')).toBe('no-store');
      expect((await user.api.get('/api/v1/users/me')).headers.get('cache-control')).toBe('private, no-cache');
      expect((await user.api.get('/api/v1/tasks')).headers.get('cache-control')).toBe('private, no-cache');
      expect((await api.get('/api/v1/tasks')).headers.get('cache-control')).toBe('no-store');
      expect((await api.get('/health/live')).headers.get('cache-control')).toBe('no-store');
    });
  });

  describe('too much of something', () => {
    const login = (body: unknown) => api.post<Problem>('/api/v1/auth/login', body);

    it('refuses a body beyond 1 MiB with 413', async () => {
      const { status, body } = await login({ email: newEmail(), password: 'x'.repeat(1024 * 1024) });
      expect(status).toBe(413);
      expect(body.code).toBe('PAYLOAD_TOO_LARGE');
    });

    it('refuses one that does not say how long it is', async () => {
      const connection = await RawConnection.open(service);
      connection.send('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
      connection.send('Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n');
      const chunk = `10000\r\n${'x'.repeat(0x10000)}\r\n`;
      for (let sent = 0; sent < 20; sent += 1) connection.send(chunk);
      await waitFor('an answer', () => connection.text.startsWith('HTTP/1.1 413 '));
      connection.close();
    });

    it('refuses ninety thousand unknown fields at once, in a short answer', async () => {
      const fields = Object.fromEntries(Array.from({ length: 90_000 }, (_, index) => [`k${index}`, 1]));
      const began = Date.now();
      const { status, body } = await login(fields);
      expect(status).toBe(400);
      expect(body.errors).toEqual([{ field: 'body', message: 'has more than 5000 members' }]);
      // Checking each of them takes 20 s.
      expect(Date.now() - began).toBeLessThan(8000);
    });

    it('refuses a hundred thousand levels', async () => {
      const deep = '['.repeat(100_000) + ']'.repeat(100_000);
      const { status, body } = await login(`{"email":"ada@example.org","password":${deep}}`);
      expect(status).toBe(400);
      expect(body.code).toBe('VALIDATION_FAILED');
    });

    it.each([
      [431, 'HEADERS_TOO_LARGE', `GET /health/live HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(20_000)}\r\n\r\n`],
      [414, 'URI_TOO_LONG', `GET /health/live?${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ])('refuses more than 16 KiB before the body with %d %s', async (expected, code, text) => {
      const connection = await RawConnection.open(service);
      connection.send(text);
      const { status, headers, body } = await connection.untilClosed();
      expect(status).toBe(expected);
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(body)).toEqual({
        type: `http://127.0.0.1:5000/problems/${code.toLowerCase().replaceAll('_', '-')}`,
        title: expect.any(String) as string,
        status: expected,
        detail: expect.any(String) as string,
        instance: '',
        code,
        requestId: headers.get('x-request-id'),
      });
    });

    it('answers 404 for a parameter of a path that is far too long', async () => {
      const user = await registerUser(service);
      for (const length of [100, 101, 5000]) {
        const { status, body } = await user.api.get<Problem>(`/api/v1/tasks/${'a'.repeat(length)}`);
        expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
      }
    });
  });

  describe('what is no proper request', () => {
    it('answers 400 to what is not HTTP', async () => {
      const connection = await RawConnection.open(service);
      connection.send('\x16\x03\x01 hello\r\n\r\n');
      const { status, headers, body } = await connection.untilClosed();
      expect(status).toBe(400);
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    });

    it('answers 400 to two lengths at once, which proxies could read differently', async () => {
      const connection = await RawConnection.open(service);
      connection.send('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
      connection.send('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /health HTTP/1.1\r\n\r\n');
      expect((await connection.untilClosed()).status).toBe(400);
    });

    it.each(['/api/v1/%zz', '/%', '/verify-email/%e0%a4%a'])(
      'answers 404 for %s, which no escape is meant by',
      async (path) => {
        const { status, headers, body } = await sendRaw<Problem>(service, 'GET', path);
        expect([status, body.code]).toEqual([404, 'NOT_FOUND']);
        expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
        expect(headers.get('x-request-id')).toBe(body.requestId);
      },
    );
  });

  describe('slow clients', () => {
    const PATIENCE_MS = REQUEST_TIMEOUT_SECONDS * 1000 + 8000;

    async function expectTimedOut(connection: RawConnection): Promise<void> {
      const { status, headers, body, milliseconds } = await connection.untilClosed();
      expect(status).toBe(408);
      expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
      expect(headers.get('connection')).toBe('close');
      expect(JSON.parse(body)).toMatchObject({ status: 408, code: 'REQUEST_TIMEOUT' });
      expect(milliseconds).toBeLessThan(PATIENCE_MS);
    }

    it('answers 408 to header fields that drip', async () => {
      const connection = await RawConnection.open(service);
      connection.send('GET /health/live HTTP/1.1\r\nHost: x\r\n');
      void connection.drip('X-Slow: 1\r\n', 200);
      await expectTimedOut(connection);
    });

    it('answers 408 to a body that drips', async () => {
      const connection = await RawConnection.open(service);
      connection.send('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n');
      connection.send('Content-Length: 1000\r\n\r\n');
      void connection.drip(' ', 200);
      await expectTimedOut(connection);
    });

    it('closes a connection on which nothing is said', async () => {
      const connection = await RawConnection.open(service);
      const { milliseconds } = await connection.untilClosed();
      expect(milliseconds).toBeLessThan(PATIENCE_MS);
    });

    it('keeps a connection that is idle between two requests', async () => {
      const connection = await RawConnection.open(service);
      const request = 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n';
      connection.send(request);
      await delay(REQUEST_TIMEOUT_SECONDS * 1000 + 2000);
      connection.send(request);
      await waitFor('a second answer', () => connection.text.match(/HTTP\/1\.1 200 /g)?.length === 2);
      expect(connection.text).toMatch(/keep-alive: timeout=75/i);
      connection.close();
    });
  });
});

describe.each([
  { TRUST_PROXY: 'false', proxied: (spoof: string) => spoof },
  // One proxy appends the address it was called from; what the client wrote stands before it.
  { TRUST_PROXY: '1', proxied: (spoof: string, client: string) => `${spoof}, ${client}` },
  { TRUST_PROXY: 'loopback', proxied: (spoof: string, client: string) => `${spoof}, ${client}` },
])('with TRUST_PROXY=$TRUST_PROXY', ({ TRUST_PROXY, proxied }) => {
  it('a made-up X-Forwarded-For dodges no limit', async () => {
    const service = await startService({
      TRUST_PROXY,
      CORS_ORIGINS: '*',
      THROTTLE_STRICT_LIMIT: String(STRICT_LIMIT),
    });
    const api = new ApiClient(service);
    const logIn = (client: string) =>
      api.post<Problem>(
        '/api/v1/auth/login',
        { email: newEmail(), password: 'wrong-horse-battery' },
        { 'X-Forwarded-For': proxied(address(), client), Origin: 'https://anywhere.example' },
      );

    const client = address();
    for (let attempt = 0; attempt < STRICT_LIMIT; attempt += 1) await logIn(client);
    const refused = await logIn(client);
    expect(refused.status).toBe(429);
    expect(refused.headers.get('access-control-allow-origin')).toBe('*');
    expect(refused.headers.has('access-control-allow-credentials')).toBe(false);
    // Another client of the same proxy has a count of its own.
    expect((await logIn(address())).status).toBe(TRUST_PROXY === 'false' ? 429 : 401);
    await service.stop();
  });
});
