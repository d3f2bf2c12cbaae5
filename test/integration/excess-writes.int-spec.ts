import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { requestContext } from '../../src/common/http/request-context.js';
import { ApiKeys } from '../../src/platform/authentication/api-keys.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { buildParts, deferred } from '../support/parts.js';
import { TASKS } from '../support/tasks.js';
import { newRegistration, type Tokens } from '../support/users.js';

/** With two connections one transaction of a request runs at a time; 275 wait. */
const CAPACITY = 276;
const REGISTER = '/api/v1/auth/register';

let app: NestFastifyApplication;
beforeAll(async () => {
  app = await buildParts({ MONGODB_MAX_POOL_SIZE: '2' });
  await app.init();
});

async function send(method: 'GET' | 'POST', url: string, token?: string, payload?: object) {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return await app.inject({ method, url, headers, ...(payload && { payload }) });
}

const register = () => send('POST', REGISTER, undefined, newRegistration());
/** A write that waits for its transaction and then finds nothing, so that many of them take little time. */
const restoreNothing = (token: string) => send('POST', `${TASKS}/${'0'.repeat(24)}/restore`, token);
const create = (token: string) => send('POST', TASKS, token, { title: 'Buy milk' });

async function registered() {
  const { user, accessToken } = (await register()).json<Tokens>();
  return { userId: user.id, accessToken };
}

async function newApiKey(user: string): Promise<string> {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const fields = { user, name: 'report', role: 'user' as const, expiresAt, announceExpiryAt: null };
  const { key } = await app
    .get(Transactions)
    .run((session) => app.get(ApiKeys).create({ ...fields, scopes: ['tasks:write'] }, session));
  return key;
}

/** Occupies the one place for transactions of requests until the returned function is called. */
function occupy(): () => Promise<void> {
  const gate = deferred();
  const context = { requestId: 'occupies', startedAt: performance.now(), ip: '192.0.2.1' };
  const occupied = requestContext.run(context, () => app.get(Transactions).run(() => gate.promise));
  return async () => {
    gate.resolve();
    await occupied;
  };
}

describe('more writes than can wait for a transaction', () => {
  it('are refused to the caller who sends them; other users, API keys and networks are served', async () => {
    const [flooding, other] = [await registered(), await registered()];
    const apiKey = await newApiKey(flooding.userId);
    const release = occupy();
    const flood = Array.from({ length: CAPACITY }, () => restoreNothing(flooding.accessToken));
    const excess = await restoreNothing(flooding.accessToken);
    expect([excess.statusCode, excess.json<{ code: string }>().code]).toEqual([503, 'OVERLOADED']);
    expect(Number(excess.headers['retry-after'])).toBeGreaterThan(0);
    expect((await send('GET', TASKS, flooding.accessToken)).statusCode).toBe(200);

    const served = [create(other.accessToken), create(apiKey), register()];
    // Each takes the turn of one of those that wait; these are answered at once.
    const replaced = await Promise.race(flood);
    expect([replaced.statusCode, replaced.json<{ code: string }>().code]).toEqual([503, 'OVERLOADED']);
    await release();
    expect((await Promise.all(served)).map(({ statusCode }) => statusCode)).toEqual([201, 201, 201]);
    const outcomes = (await Promise.all(flood)).map(({ statusCode }) => statusCode);
    expect(new Set(outcomes)).toEqual(new Set([404, 503]));
    expect((await create(flooding.accessToken)).statusCode).toBe(201);
  }, 60_000);
});
