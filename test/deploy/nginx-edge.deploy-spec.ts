import { connect } from 'node:tls';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { request as requestByTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type Nginx, type NginxOptions, type Replica, send, startNginx, startReplica } from './support/nginx.js';
import { run } from './support/tools.js';

const LONG = JSON.stringify({ data: 'x'.repeat(5000) });

let running: { stop(): Promise<void> }[] = [];
let nginx: Nginx;
let replica: Replica;

async function start(
  options: NginxOptions = {},
  answer?: (response: ServerResponse, incoming: IncomingMessage) => void,
): Promise<void> {
  replica = await startReplica('answers', answer);
  nginx = await startNginx([replica.port, replica.port, replica.port], options);
  running.push(nginx, replica);
}
afterEach(async () => {
  for (const one of running) await one.stop();
  running = [];
});

const json = (response: ServerResponse): void =>
  void response.setHeader('Content-Type', 'application/json').setHeader('ETag', '"v1"').end(LONG);

describe('limits', () => {
  it('answers 429 with Retry-After to a flood from one address, and never limits health checks', async () => {
    await start();
    const answers = await Promise.all(Array.from({ length: 300 }, () => send(nginx.port)));
    const limited = answers.filter(({ status }) => status === 429);
    // The burst goes through at once; a second's worth or two may have been added meanwhile.
    expect(300 - limited.length).toBeGreaterThanOrEqual(100);
    expect(limited.length).toBeGreaterThan(50);
    expect(limited[0]!.headers).toMatchObject({ 'retry-after': '1', 'content-type': 'application/problem+json' });
    expect(JSON.parse(limited[0]!.body)).toMatchObject({
      status: 429,
      code: 'RATE_LIMITED',
      requestId: limited[0]!.headers['x-request-id'],
    });
    const probes = await Promise.all(Array.from({ length: 200 }, () => send(nginx.port, { path: '/health/ready' })));
    expect(new Set(probes.map(({ status }) => status))).toEqual(new Set([200]));
  });

  it.each([
    ['an IPv4 address', ['192.0.2.1', '::ffff:192.0.2.1'], '192.0.2.2'],
    ['an IPv6 network', ['2001:db8:1:2::1', '2001:db8:1:ff:ffff:a:d:a', '2001:db8:1::1:0'], '2001:db8:1:100::1'],
    ['a network with zeros', ['2001:db8::', '2001:db8::a:a:a:a'], '2001:db8:0:100::'],
  ])('counts %s as one, however it is written, and apart from its neighbour', async (_, same, neighbour) => {
    await start({
      clientAddress: 'aws',
      changes: [
        ['set_real_ip_from 10.0.0.0/8;', 'set_real_ip_from 127.0.0.1;'],
        ['rate=50r/s', 'rate=1r/m'],
        ['burst=100 nodelay', `burst=${same.length - 1} nodelay`],
      ],
    });
    const from = async (address: string) =>
      (await send(nginx.port, { headers: { 'X-Forwarded-For': address } })).status;
    for (const address of same) expect(await from(address)).toBe(200);
    for (const address of same) expect(await from(address)).toBe(429);
    expect(await from(neighbour)).toBe(200);
  });

  it('limits the requests that one address has under way', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await start(
      { changes: [['limit_conn connections 100;', 'limit_conn connections 5;']] },
      (response) => void released.then(() => response.end()),
    );
    const answers = Array.from({ length: 8 }, () => send(nginx.port));
    const early = await Promise.race(answers);
    expect(early.status).toBe(429);
    while (replica.seen.length < 5) await new Promise((resolve) => setTimeout(resolve, 10));
    release();
    const statuses = (await Promise.all(answers)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  });
});

describe('the cache', () => {
  it.each(['/static/logo.svg', '/docs/openapi.json', '/docs/openapi.yaml', '/docs/asyncapi.yaml'])(
    'asks the service once for %s',
    async (path) => {
      await start({}, (response) => {
        response.setHeader('RateLimit-Remaining', '7').setHeader('X-Cache', 'MISS').end(LONG);
      });
      const seen = [];
      for (let sent = 0; sent < 3; sent += 1) seen.push(await send(nginx.port, { path }));
      expect(seen.map(({ headers }) => headers['x-edge-cache'])).toEqual(['MISS', 'HIT', 'HIT']);
      expect(seen.map(({ body }) => body)).toEqual([LONG, LONG, LONG]);
      expect(replica.seen).toHaveLength(1);
      // Each answer has a request id of its own, and nothing that was about the first one alone.
      expect(new Set(seen.map(({ headers }) => headers['x-request-id'])).size).toBe(3);
      for (const { headers } of seen) expect(headers).not.toHaveProperty('ratelimit-remaining');
    },
  );

  it('answers 304 itself where a file is kept, by its tag and by its time', async () => {
    const validators = { ETag: '"a"', 'Last-Modified': 'Tue, 01 Jan 1980 00:00:00 GMT' };
    await start({}, (response) => {
      response.writeHead(200, { 'Cache-Control': 'public, max-age=31536000, immutable', ...validators }).end(LONG);
    });
    const get = (headers = {}) => send(nginx.port, { path: '/static/page.0123456789abcdef.css', headers });
    expect((await get()).status).toBe(200);
    for (const condition of [
      { 'If-None-Match': validators.ETag },
      { 'If-Modified-Since': validators['Last-Modified'] },
    ]) {
      const { status, headers } = await get(condition);
      expect([status, headers['x-edge-cache'], headers['cache-control']]).toEqual([
        ...[304, 'HIT'],
        'public, max-age=31536000, immutable',
      ]);
    }
    expect(replica.seen).toHaveLength(1);
  });

  it('never keeps a file that stands in for one of another version', async () => {
    await start({}, (response) => void response.setHeader('Cache-Control', 'no-cache').end(LONG));
    for (let sent = 0; sent < 3; sent += 1) await send(nginx.port, { path: '/static/page.0123456789abcdef.css' });
    expect(replica.seen).toHaveLength(3);
  });

  it('caches nothing of the API, whatever the headers of the answer', async () => {
    await start({}, (response) => void response.setHeader('Cache-Control', 'public, max-age=600').end(LONG));
    for (const path of ['/api/v1/tasks', '/api/v1/auth/sessions', '/health', '/docs']) {
      for (let sent = 0; sent < 2; sent += 1) await send(nginx.port, { path });
    }
    expect(replica.seen).toHaveLength(8);
  });
});

describe('compression', () => {
  it('compresses answers, and weakens their tag', async () => {
    await start({}, json);
    const answer = await send(nginx.port, { path: '/api/v1/tasks', headers: { 'Accept-Encoding': 'gzip' } });
    expect(answer.headers).toMatchObject({ 'content-encoding': 'gzip', vary: 'Accept-Encoding', etag: 'W/"v1"' });
    expect(gunzipSync(answer.raw).toString()).toBe(LONG);
    expect((await send(nginx.port)).headers).not.toHaveProperty('content-encoding');
  });

  it('leaves answers that hold tokens alone', async () => {
    await start({}, json);
    const answer = await send(nginx.port, { path: '/api/v1/auth/login', headers: { 'Accept-Encoding': 'gzip' } });
    expect(answer.headers).not.toHaveProperty('content-encoding');
  });

  it('takes brotli where the module is there', async () => {
    await start({ brotli: true }, json);
    const headers = { 'Accept-Encoding': 'gzip, br' };
    const answer = await send(nginx.port, { path: '/api/v1/tasks', headers });
    expect(answer.headers['content-encoding']).toBe('br');
    expect(brotliDecompressSync(answer.raw).toString()).toBe(LONG);
  });
});

describe('TLS', () => {
  it('speaks version 1.3, tells the service so, and refuses older ones', async () => {
    await start({ listen: 'https' });
    const socket = connect({ port: nginx.tlsPort, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    expect(socket.getProtocol()).toBe('TLSv1.3');
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    await once(socket.resume(), 'close');
    expect(replica.seen[0]!.headers['x-forwarded-proto']).toBe('https');
    const old = connect({ port: nginx.tlsPort, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false });
    const [error] = (await once(old, 'error')) as [Error];
    expect(error.message).toMatch(/protocol version/);
  });

  it.each([
    ['api.example.com', 'https://api.example.com'],
    ['api.example.com:80', 'https://api.example.com'],
    ['localhost:8080', 'https://localhost:8443'],
    ['[::1]:8081', 'https://[::1]:8444'],
  ])('redirects HTTP for %s to %s with method, path and query, and asks no replica', async (host, target) => {
    await start({ listen: 'https' });
    const path = '/api/v1/tasks/a%20b?limit=1&q=%C3%BC';
    const answers = [
      await send(nginx.port, { path, headers: { Host: host } }),
      await send(nginx.port, { path, headers: { Host: host }, method: 'POST', body: '{}' }),
      await send(nginx.port, { path: '/healthy', headers: { Host: host } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([308, 308, 308]);
    expect(answers.map(({ headers }) => headers.location)).toEqual(
      [path, path, '/healthy'].map((each) => `${target}${each}`),
    );
    for (const { headers } of answers) expect(headers).not.toHaveProperty('strict-transport-security');
    expect(replica.seen).toEqual([]);
  });

  it('offers HTTP/2', async () => {
    await start({ listen: 'https' });
    const options = { port: nginx.tlsPort, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] };
    const socket = connect(options);
    await once(socket, 'secureConnect');
    expect(socket.alpnProtocol).toBe('h2');
    socket.destroy();
  });

  it('answers health checks by HTTP too', async () => {
    await start({ listen: 'https' });
    for (const path of ['/health', '/health/live', '/health/ready']) {
      expect((await send(nginx.port, { path })).status).toBe(200);
    }
  });

  it("says once that clients must use TLS, on the service's answers and its own", async () => {
    const hsts = 'max-age=99';
    await start({ listen: 'https' }, (response, { url }) => {
      if (url === '/gone') response.socket!.destroy();
      else response.setHeader('Strict-Transport-Security', hsts).end();
    });
    const get = async (path: string) => {
      const options = { port: nginx.tlsPort, path, agent: false, rejectUnauthorized: false };
      const [response] = (await once(requestByTls(options).end(), 'response')) as [IncomingMessage];
      response.resume();
      return [response.statusCode, response.headersDistinct['strict-transport-security']];
    };
    expect(await get('/')).toEqual([200, [hsts]]);
    expect(await get('/gone')).toEqual([503, ['max-age=31536000; includeSubDomains']]);
  });
});

describe('health', () => {
  it('shows version and memory to the networks of the operator alone, and readiness to all', async () => {
    const changes: [string, string][] = [['set_real_ip_from 10.0.0.0/8;', 'set_real_ip_from 127.0.0.0/8;']];
    await start({ clientAddress: 'aws', changes });
    const statusFor = async (path: string, client: string) =>
      (await send(nginx.port, { path, headers: { 'X-Forwarded-For': client } })).status;
    for (const path of ['/health', '/health/', '//health', '/%68ealth', '/health?x', '/health/x']) {
      expect([path, await statusFor(path, '203.0.113.7')]).toEqual([path, 403]);
    }
    expect(replica.seen).toEqual([]);
    expect(await statusFor('/health', '10.1.2.3')).toBe(200);
    for (const path of ['/health/live', '/health/ready']) expect(await statusFor(path, '203.0.113.7')).toBe(200);
  });
});

describe('the address of the client', () => {
  const seenAs = async (headers: Record<string, string>): Promise<unknown> => {
    await send(nginx.port, { headers });
    return replica.seen.at(-1)!.headers['x-forwarded-for'];
  };

  it('is the last one that is no balancer behind AWS, not what a client wrote before it', async () => {
    await start({
      clientAddress: 'aws',
      changes: [['set_real_ip_from 10.0.0.0/8;', 'set_real_ip_from 127.0.0.0/8; set_real_ip_from 10.0.0.0/8;']],
    });
    expect(await seenAs({ 'X-Forwarded-For': '198.51.100.1, 203.0.113.7, 10.1.2.3' })).toBe('203.0.113.7');
  });

  it('is what Cloudflare says behind Cloudflare', async () => {
    await start({
      clientAddress: 'cloudflare',
      changes: [['set_real_ip_from 173.245.48.0/20;', 'set_real_ip_from 127.0.0.0/8;']],
    });
    expect(await seenAs({ 'CF-Connecting-IP': '203.0.113.7', 'X-Forwarded-For': '198.51.100.1' })).toBe('203.0.113.7');
    await nginx.logWith('"ip":"203.0.113.7"');
  });

  it.each(['aws', 'cloudflare'])('is never what somebody says who is not the balancer (%s)', async (clientAddress) => {
    await start({ clientAddress });
    const claims = { 'CF-Connecting-IP': '203.0.113.7', 'X-Forwarded-For': '203.0.113.7' };
    expect(await seenAs(claims)).toBe('127.0.0.1');
  });
});

describe('update-cloudflare.sh', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'deploy-'));
    copyFileSync('docker/nginx/client-address/update-cloudflare.sh', join(folder, 'update.sh'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const update = (v4: string, v6: string) => {
    writeFileSync(join(folder, 'ips-v4'), v4);
    writeFileSync(join(folder, 'ips-v6'), v6);
    run('sh', [join(folder, 'update.sh'), pathToFileURL(folder).href]);
    return readFileSync(join(folder, 'cloudflare.conf'), 'utf8');
  };
  const shipped = readFileSync('docker/nginx/client-address/cloudflare.conf', 'utf8');
  const ranges = [...shipped.matchAll(/^set_real_ip_from (\S+);$/gm)].map(([, range]) => range!);
  const v4 = ranges.filter((range) => !range.includes(':')).join('\n');
  const v6 = ranges.filter((range) => range.includes(':')).join('\n');

  it('writes the file that is shipped from the ranges in it', () => {
    expect(update(v4, v6)).toBe(shipped);
  });

  it('keeps the old file where the lists hold something else', () => {
    update(v4, v6);
    for (const [bad4, bad6] of [
      ['', ''],
      [`${v4}\n1.2.3.4/8; include /etc/passwd`, v6],
      ['<html>', v6],
    ] as const) {
      expect(() => update(bad4, bad6)).toThrow();
      expect(readFileSync(join(folder, 'cloudflare.conf'), 'utf8')).toBe(shipped);
    }
  });
});
