import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import type { Duplex } from 'node:stream';
import { RawConnection } from '../support/raw-http.js';
import {
  type Behaviour,
  freePort,
  type Nginx,
  type NginxOptions,
  type Replica,
  send,
  startNginx,
  startReplica,
} from './support/nginx.js';

describe('NGINX with the shipped configuration', () => {
  let nginx: Nginx;
  let running: { stop(): Promise<void> }[] = [];
  let replicas: Replica[] = [];

  /** Each test has an nginx of its own: a replica that one test killed would be out for the next one. */
  const start = (...behaviours: (Behaviour | 'dead')[]) => startWith({}, ...behaviours);

  async function startWith(options: NginxOptions, ...behaviours: (Behaviour | 'dead')[]) {
    const ports: number[] = [];
    for (const behaviour of behaviours) {
      if (behaviour === 'dead') {
        ports.push(await freePort());
      } else {
        const replica = await startReplica(behaviour);
        replicas.push(replica);
        running.push(replica);
        ports.push(replica.port);
      }
    }
    nginx = await startNginx(ports, options);
    running.push(nginx);
  }
  const seen = () => replicas.flatMap((replica) => replica.seen);

  afterEach(async () => {
    await Promise.all(running.map((one) => one.stop()));
    running = [];
    replicas = [];
  });

  it('spreads requests over the replicas', async () => {
    await start('answers', 'answers', 'answers');
    for (let sent = 0; sent < 30; sent += 1) expect((await send(nginx.port)).status).toBe(200);
    for (const replica of replicas) expect(replica.seen.length).toBeGreaterThanOrEqual(5);
  });

  it('keeps connections to the replicas open', async () => {
    await start('answers', 'answers', 'answers');
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let sent = 0; sent < 30; sent += 1) await send(nginx.port, { agent });
    agent.destroy();
    // One client connection is one worker of nginx's, which needs one connection to each.
    expect(replicas.reduce((sum, { connections }) => sum + connections, 0)).toBeLessThanOrEqual(3);
  });

  it('sends any request on to another replica where one cannot be reached, since nothing was sent to it', async () => {
    await start('dead', 'dead', 'answers');
    for (const method of ['GET', 'POST', 'PATCH', 'PUT', 'DELETE']) {
      expect((await send(nginx.port, { method })).status).toBe(200);
    }
    expect(seen().map(({ method }) => method)).toEqual(['GET', 'POST', 'PATCH', 'PUT', 'DELETE']);
  });

  it.each(['GET', 'HEAD', 'PUT', 'DELETE'])('repeats a %s that a replica broke off', async (method) => {
    await start('breaks-off', 'breaks-off', 'answers');
    for (let sent = 0; sent < 3; sent += 1) expect((await send(nginx.port, { method })).status).toBe(200);
    expect(seen().length).toBeGreaterThan(3);
  });

  it.each(['POST', 'PATCH'])('never repeats a %s that a replica has been sent', async (method) => {
    await start('breaks-off', 'breaks-off', 'breaks-off');
    const answer = await send(nginx.port, { method, body: '{}' });
    expect(answer.status).toBe(503);
    expect(seen()).toHaveLength(1);
  });

  it('leaves a replica alone that has failed three times', async () => {
    await start('breaks-off', 'answers', 'answers');
    for (let sent = 0; sent < 40; sent += 1) expect((await send(nginx.port)).status).toBe(200);
    expect(replicas[0]!.seen).toHaveLength(3);
  });

  it('answers a problem document with the request id when no replica can', async () => {
    await start('dead', 'dead', 'dead');
    const answer = await send(nginx.port, { headers: { 'X-Request-Id': 'trace.1' } });
    expect(answer.status).toBe(503);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect(answer.headers['x-request-id']).toBe('trace.1');
    expect(JSON.parse(answer.body)).toMatchObject({
      status: 503,
      code: 'DEPENDENCY_UNAVAILABLE',
      requestId: 'trace.1',
    });
  });

  it.each([
    ['without a host', 400, 'BAD_REQUEST', 'GET / HTTP/1.1'],
    ['with two hosts', 400, 'BAD_REQUEST', 'GET / HTTP/1.1\r\nHost: a\r\nHost: a'],
    ['with a host that is none', 400, 'BAD_REQUEST', 'GET / HTTP/1.1\r\nHost: a/b'],
    ['of lower case', 400, 'BAD_REQUEST', 'get / HTTP/1.1\r\nHost: a'],
    ['of another version of HTTP', 400, 'BAD_REQUEST', 'GET / HTTP/9.0\r\nHost: a'],
    ['with TRACE', 405, 'METHOD_NOT_ALLOWED', 'TRACE / HTTP/1.1\r\nHost: a'],
    ['with a long address', 414, 'URI_TOO_LONG', `GET /${'x'.repeat(10_000)} HTTP/1.1\r\nHost: a`],
    ['with a long header field', 431, 'HEADERS_TOO_LARGE', `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(10_000)}`],
  ])('answers a message %s itself, as %d %s', async (_, status, code, message) => {
    await start('answers', 'answers', 'answers');
    const connection = await RawConnection.open({ url: `http://127.0.0.1:${nginx.port}` });
    connection.send(`${message}\r\nConnection: close\r\n\r\n`);
    const answer = await connection.untilClosed();
    expect([answer.status, answer.headers.get('content-type')]).toEqual([status, 'application/problem+json']);
    const requestId = answer.headers.get('x-request-id');
    expect(JSON.parse(answer.body)).toMatchObject({ status, code, requestId });
    expect(requestId).toMatch(/^[0-9a-f]{32}$/);
    expect(seen()).toEqual([]);
  });

  it('passes the host, the scheme and the address of the client, and drops what the client claims of them', async () => {
    await start('answers', 'answers', 'answers');
    await send(nginx.port, {
      path: '/api/v1/tasks?limit=1',
      headers: {
        Host: 'api.test:8443',
        'X-Forwarded-For': '203.0.113.7',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-Host': 'evil.test',
        Forwarded: 'for=203.0.113.7',
      },
    });
    const [{ path, headers }] = seen() as [ReturnType<typeof seen>[number]];
    expect(path).toBe('/api/v1/tasks?limit=1');
    expect(headers).toMatchObject({
      host: 'api.test:8443',
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': 'api.test:8443',
    });
    expect(headers).not.toHaveProperty('forwarded');
    expect(headers).not.toHaveProperty('upgrade');
  });

  it.each([
    ['keeps a request id that the service accepts', 'a-1.B_2', /^a-1\.B_2$/],
    ['makes one where there is none', undefined, /^[0-9a-f]{32}$/],
    ['replaces one that the service would not accept', 'a b', /^[0-9a-f]{32}$/],
    ['replaces one that is too long', 'a'.repeat(129), /^[0-9a-f]{32}$/],
  ])('%s, and returns it once', async (_, id, expected) => {
    await start('answers', 'answers', 'answers');
    const answer = await send(nginx.port, { headers: id === undefined ? {} : { 'X-Request-Id': id } });
    const passed = seen()[0]!.headers['x-request-id'];
    expect(passed).toMatch(expected);
    expect(answer.headers['x-request-id']).toBe(passed);
    expect(answer.rawHeaders.filter((name) => name.toLowerCase() === 'x-request-id')).toHaveLength(1);
    await nginx.logWith(`"requestId":"${String(passed)}"`);
  });

  it('logs no query string', async () => {
    await start('answers', 'answers', 'answers');
    await send(nginx.port, { path: '/verify?token=s3cret' });
    expect(await nginx.logWith('"path":"/verify"')).not.toContain('s3cret');
  });

  it('lets the service refuse a body above its own limit, and refuses far larger ones with the same form', async () => {
    await start('answers', 'answers', 'answers');
    expect((await send(nginx.port, { method: 'POST', body: Buffer.alloc(1.5 * 2 ** 20) })).status).toBe(200);
    const answer = await send(nginx.port, { method: 'POST', body: Buffer.alloc(3 * 2 ** 20) });
    expect(answer.status).toBe(413);
    expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    expect(seen()).toHaveLength(1);
  });

  it('passes a WebSocket upgrade, and data in both directions', async () => {
    await start('answers', 'answers', 'answers');
    const upgrade = request({
      host: '127.0.0.1',
      port: nginx.port,
      path: '/ws',
      headers: { Connection: 'Upgrade', Upgrade: 'WebSocket' },
    });
    upgrade.end();
    const [response, socket] = (await once(upgrade, 'upgrade')) as [IncomingMessage, Duplex];
    expect(response.statusCode).toBe(101);
    expect(seen()[0]!.headers).toMatchObject({ connection: 'upgrade', upgrade: 'websocket' });
    socket.write('ping');
    const [echo] = (await once(socket, 'data')) as [Buffer];
    expect(echo.toString()).toBe('ping');
    socket.destroy();
  });

  it('upgrades to nothing but WebSocket', async () => {
    await start('answers', 'answers', 'answers');
    const answer = await send(nginx.port, { headers: { Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c' } });
    expect(answer.status).toBe(200);
    expect(seen()[0]!.headers).not.toHaveProperty('upgrade');
  });
});
