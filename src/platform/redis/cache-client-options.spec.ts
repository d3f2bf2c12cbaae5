import type { Environment } from '../../config/environment.js';
import { cacheClientOptions } from './cache-client-options.js';

const optionsOf = (REDIS_URL: string, more: Partial<Environment> = {}) =>
  cacheClientOptions({ REDIS_URL, ...more } as Environment, 2000);

describe('cacheClientOptions', () => {
  it.each([
    ['redis://localhost', { host: 'localhost', port: 6379 }, 0],
    ['redis://10.0.0.1:7000/3', { host: '10.0.0.1', port: 7000 }, 3],
    ['redis://[::1]:7000', { host: '::1', port: 7000 }, 0],
    ['redis://cache?db=2&family=6', { host: 'cache', port: 6379, family: 6 }, 2],
    ['rediss://cache', { host: 'cache', port: 6379, tls: true }, 0],
  ])('of %s are its host, port and database', (url, socket, database) => {
    expect(optionsOf(url)).toMatchObject({ socket, database });
  });

  it('have the user and the password as they are meant', () => {
    expect(optionsOf('redis://me:p%40ss@cache')).toMatchObject({ username: 'me', password: 'p@ss' });
    expect(optionsOf('redis://:p%40ss@cache')).toMatchObject({ password: 'p@ss' });
    expect(optionsOf('redis://cache')).not.toHaveProperty('password');
  });

  it('have the certificates', () => {
    expect(optionsOf('rediss://cache', { REDIS_TLS_CA: 'CA' }).socket).toMatchObject({ tls: true, ca: 'CA' });
  });

  it('neither keep commands while there is no connection nor connect again', () => {
    expect(optionsOf('redis://cache')).toMatchObject({
      disableOfflineQueue: true,
      socket: { reconnectStrategy: false },
    });
  });
});
