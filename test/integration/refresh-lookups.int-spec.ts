import type { mongo } from 'mongoose';
import { buildParts, findModel } from '../support/parts.js';
import { newRegistration, type Tokens } from '../support/users.js';

const FLOOD = 200;
/** Of the fifty connections. */
const MAX_LOOKUPS = 10;
const CROWDED = '198.51.100.1';
const ELSEWHERE = '203.0.113.8';
const GUESS = `${'0'.repeat(24)}.1.${'a'.repeat(43)}`;

it('a flood of guessed refresh tokens takes few connections, and delays no other network', async () => {
  const app = await buildParts();
  await app.init();
  const post = (url: string, payload: object, remoteAddress: string) =>
    app.inject({ method: 'POST', url: `/api/v1/auth/${url}`, payload, remoteAddress });
  const { refreshToken } = (await post('register', newRegistration(), ELSEWHERE)).json<Tokens>();

  const lookups = new Set<number>();
  let most = 0;
  const client = findModel(app, 'Session').db.getClient();
  client.on('commandStarted', ({ command, requestId }: mongo.CommandStartedEvent) => {
    if (command['find'] !== 'sessions') return;
    lookups.add(requestId);
    most = Math.max(most, lookups.size);
  });
  client.on('commandSucceeded', ({ requestId }: mongo.CommandSucceededEvent) => void lookups.delete(requestId));

  const statuses: number[] = [];
  const flood = Array.from({ length: FLOOD }, async () => {
    statuses.push((await post('refresh', { refreshToken: GUESS }, CROWDED)).statusCode);
  });
  expect((await post('refresh', { refreshToken }, ELSEWHERE)).statusCode).toBe(200);
  expect(statuses.length).toBeLessThan(FLOOD / 2);
  await Promise.all(flood);
  expect(new Set(statuses)).toEqual(new Set([401]));
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(MAX_LOOKUPS);
}, 60_000);
