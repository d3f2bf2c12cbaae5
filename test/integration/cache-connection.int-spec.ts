import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import type { Environment } from '../../src/config/environment.js';
import { CacheConnection } from '../../src/platform/redis/cache-connection.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { type OwnRedis, startOwnRedis } from '../support/redis.js';
import { waitFor } from '../support/wait-for.js';

let redis: OwnRedis;
let proxy: RedisProxy;
const connections: CacheConnection[] = [];
jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);

beforeAll(async () => {
  redis = await startOwnRedis();
  proxy = await RedisProxy.start(() => redis.url);
});
beforeEach(() => void warn.mockClear());
afterEach(() => connections.splice(0).forEach((connection) => connection.onApplicationShutdown()));
afterAll(() => proxy.stop());

function connect(): CacheConnection {
  const connection = new CacheConnection({ REDIS_URL: proxy.url } as Environment);
  connections.push(connection);
  return connection;
}

const connected = (connection: CacheConnection) => waitFor('a connection', () => connection.server);

it('gives up an attempt that a server accepts and never answers, and connects once it answers', async () => {
  proxy.silent = true;
  const connection = connect();
  await waitFor('the warning', () => warn.mock.calls.length > 0);
  expect(connection.server).toBeUndefined();
  proxy.silent = false;
  expect(await (await connected(connection)).store.client.ping()).toBe('PONG');
  expect(warn).toHaveBeenCalledTimes(1);
});

it('knows no server while the connection is down, fails commands at once, and names the new server after a restart', async () => {
  const connection = connect();
  const { runId, store } = await connected(connection);
  proxy.block();
  await waitFor('the loss to be noticed', () => connection.server === undefined);
  await expect(store.client.ping()).rejects.toThrow();
  await redis.restart();
  proxy.unblock();
  expect((await connected(connection)).runId).not.toBe(runId);
});

it('opens another connection on request', async () => {
  const connection = connect();
  const { store } = await connected(connection);
  connection.reconnect();
  expect(connection.server).toBeUndefined();
  const next = await connected(connection);
  expect(next.store).not.toBe(store);
  expect(store.client.isOpen).toBe(false);
});
