import type { RedisClientOptions, RedisDefaultModules } from 'redis';
import type { RedisEnvironment } from '../../config/areas/redis.environment.js';
import { tlsOptions } from '../tls/tls-options.js';

/** The client has no functions and scripts of its own. */
type NoCommands = Record<string, never>;

/**
 * node-redis' options for the server of `REDIS_URL`, which is understood as ioredis understands it: an IPv6 address in brackets,
 * and `db` and `family` in the query. node-redis takes neither.
 *
 * @param connectTimeout how long the socket may take to be connected, in milliseconds
 */
export function cacheClientOptions(
  environment: RedisEnvironment,
  connectTimeout: number,
): RedisClientOptions<RedisDefaultModules, NoCommands, NoCommands> {
  const { protocol, hostname, port, username, password, pathname, searchParams } = new URL(environment.REDIS_URL);
  const certificates = tlsOptions(environment, 'REDIS');
  const family = searchParams.get('family');
  const socket = {
    host: hostname.replace(/^\[|\]$/g, '') || '127.0.0.1',
    port: Number(port) || 6379,
    ...(family && { family: Number(family) }),
    connectTimeout,
    reconnectStrategy: false as const,
  };
  return {
    ...(username && { username: decodeURIComponent(username) }),
    ...(password && { password: decodeURIComponent(password) }),
    database: Number(searchParams.get('db') ?? pathname.slice(1)),
    disableOfflineQueue: true,
    socket: protocol === 'rediss:' || certificates ? { ...socket, tls: true, ...certificates } : socket,
  };
}
