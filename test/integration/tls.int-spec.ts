import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server as TlsServer } from 'node:tls';
import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { Redis } from 'ioredis';
import { cacheDir } from '../../local/paths.js';
import { freePort } from '../../local/ports.js';
import { startRedis } from '../../local/redis.js';
import type { Server } from '../../local/server.js';
import { ConfigModule } from '../../src/config/config.module.js';
import type { Environment } from '../../src/config/environment.js';
import { waitForDatabase } from '../../src/platform/database/wait-for-database.js';
import { CacheConnection } from '../../src/platform/redis/cache-connection.js';
import { REDIS, REDIS_SUBSCRIBER, RedisModule } from '../../src/platform/redis/redis.module.js';
import { type Authority, type Certificate, makeAuthority } from '../support/certificates.js';

let ours: Authority;
let another: Authority;
let server: Certificate;
let client: Certificate;

beforeAll(() => {
  [ours, another] = [makeAuthority('Ours'), makeAuthority('Another')];
  [server, client] = [ours.issue('server'), ours.issue('client')];
});
afterAll(() => {
  ours.remove();
  another.remove();
});

const UNTRUSTED = /certificate isn't trusted: check [A-Z]+_TLS_CA \(SELF_SIGNED_CERT_IN_CHAIN\)/;
/** The server's own word, or the reset that hides it. */
const REFUSED =
  /(refuses our certificate: |wants a certificate of ours, )check [A-Z]+_TLS_CERT and [A-Z]+_TLS_KEY \((ERR_SSL_\w+|E[A-Z]+)\)/;

describe('Redis with TLS that wants client certificates', () => {
  let folder: string;
  let redis: Server;
  let url: string;
  const warn = jest.fn<(message: string) => void>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'redis-tls-'));
    const logDir = join(folder, 'logs');
    mkdirSync(logDir);
    const places = { dataDir: folder, logDir, cacheDir: cacheDir(), log: () => undefined };
    redis = await startRedis({ ...places, durable: false, usualPorts: false, onSpawn: () => undefined }, {});
    const port = await freePort();
    const plain = new Redis(redis.url);
    for (const [name, value] of [
      ['tls-cert-file', server.certFile],
      ['tls-key-file', server.keyFile],
      ['tls-ca-cert-file', ours.certFile],
      ['tls-auth-clients', 'yes'],
      ['tls-port', String(port)],
    ] as const) {
      await plain.config('SET', name, value);
    }
    plain.disconnect();
    url = `rediss://127.0.0.1:${port}`;
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(warn);
  });
  afterAll(async () => {
    jest.restoreAllMocks();
    await redis.stop();
    rmSync(folder, { recursive: true });
  });
  beforeEach(() => void warn.mockClear());

  const environmentOf = (authority: Authority, certificate?: Certificate): Environment =>
    ({
      REDIS_URL: url,
      REDIS_TLS_CA: authority.cert,
      ...(certificate ? { REDIS_TLS_CERT: certificate.cert, REDIS_TLS_KEY: certificate.key } : {}),
    }) as Environment;

  /** All connections, as far as they get. */
  async function use<T>(environment: Environment, work: (module: TestingModule) => Promise<T>): Promise<T> {
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(environment), RedisModule],
    }).compile();
    await module.init();
    try {
      return await work(module);
    } finally {
      await module.close();
    }
  }

  async function eventually(holds: () => boolean): Promise<void> {
    for (let left = 100; left > 0 && !holds(); left--) await new Promise((resolve) => setTimeout(resolve, 50));
    expect(holds()).toBe(true);
  }

  it('serves counters, the cache and subscriptions', async () => {
    await use(environmentOf(ours, client), async (module) => {
      const [counters, subscriber] = [REDIS, REDIS_SUBSCRIBER].map((token) => module.get<Redis>(token)) as [
        Redis,
        Redis,
      ];
      const cache = module.get(CacheConnection);
      await eventually(() => [counters, subscriber].every(({ status }) => status === 'ready'));
      await eventually(() => cache.server !== undefined);
      expect(await counters.incr('visits')).toBe(1);
      expect(await cache.server?.store.client.hSet('answers', 'question', '42')).toBe(1);
      expect(await subscriber.subscribe('news')).toBe(1);
    });
    expect(warn).not.toHaveBeenCalled();
  });

  it.each<[string, () => Environment, RegExp]>([
    ["the server's certificate is of another authority", () => environmentOf(another, client), UNTRUSTED],
    ['the server wants a certificate and gets none', () => environmentOf(ours), REFUSED],
    ['the client is of another authority', () => environmentOf(ours, another.issue('stranger')), REFUSED],
  ])('says so, of every connection, when %s', async (_, environment, sentence) => {
    await use(environment(), async () => eventually(() => warn.mock.calls.length >= 3));
    for (const [message] of warn.mock.calls) expect(message).toMatch(sentence);
  });
});

describe('MongoDB behind TLS that wants client certificates', () => {
  let proxy: TlsServer;
  let address: string;
  const sockets = new Set<Socket>();

  /** Ends TLS in front of the test's own MongoDB, as a sidecar or a managed service's gateway does. */
  beforeAll(async () => {
    const { hostname, port } = new URL(process.env['TEST_MONGODB_URI'] as string);
    const { cert, key } = server;
    proxy = createServer({ cert, key, ca: ours.cert, requestCert: true, rejectUnauthorized: true }, (inside) => {
      const outside = connect(Number(port || 27017), hostname);
      for (const socket of [inside, outside]) {
        sockets.add(socket.on('error', () => [inside, outside].forEach((end) => end.destroy())));
      }
      inside.pipe(outside).pipe(inside);
    }).on('tlsClientError', () => undefined);
    await once(proxy.listen(0, '127.0.0.1'), 'listening');
    address = `mongodb://127.0.0.1:${(proxy.address() as AddressInfo).port}/tls?directConnection=true`;
  });
  afterAll(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });

  /** What the start reports of a connection that fails; nothing where it succeeds. */
  async function start(variables: Partial<Environment>): Promise<string | undefined> {
    const first = new Error();
    const environment = { MONGODB_URI: address, ...variables } as Environment;
    return waitForDatabase(environment, (message) => {
      first.message = message;
      throw first; // or it would wait for better times
    }).then(
      () => undefined,
      () => first.message,
    );
  }

  it('connects with a private authority and a client certificate', async () => {
    const { cert, key } = client;
    expect(await start({ MONGODB_TLS_CA: ours.cert, MONGODB_TLS_CERT: cert, MONGODB_TLS_KEY: key })).toBeUndefined();
  });

  it("takes the driver's own options in the address as well", async () => {
    const both = join(mkdtempSync(join(tmpdir(), 'tls-')), 'client.pem');
    writeFileSync(both, client.cert + client.key);
    const files = `tls=true&tlsCAFile=${encodeURIComponent(ours.certFile)}&tlsCertificateKeyFile=${encodeURIComponent(both)}`;
    expect(await start({ MONGODB_URI: `${address}&${files}` })).toBeUndefined();
  });

  it("says so when the server's certificate is of another authority", async () => {
    const { cert, key } = client;
    const environment = { MONGODB_TLS_CA: another.cert, MONGODB_TLS_CERT: cert, MONGODB_TLS_KEY: key };
    expect(await start(environment)).toMatch(UNTRUSTED);
  });

  it('says so when the server refuses the client', async () => {
    expect(await start({ MONGODB_TLS_CA: ours.cert })).toMatch(REFUSED);
    const { cert, key } = another.issue('stranger');
    const stranger = { MONGODB_TLS_CA: ours.cert, MONGODB_TLS_CERT: cert, MONGODB_TLS_KEY: key };
    expect(await start(stranger)).toMatch(/check .*MONGODB_TLS_CERT and MONGODB_TLS_KEY/);
  });

  it('speaks of the address when there is nothing to say of TLS', async () => {
    const port = await freePort();
    expect(await start({ MONGODB_URI: `mongodb://127.0.0.1:${port}/tls` })).toMatch(
      /not reachable yet: check MONGODB_URI/,
    );
  });
});
