import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { logIn, registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const LOGOUT = '/api/v1/auth/logout';
const STATS = '/api/v1/tasks/stats';
/** A feed that wasn't read for longer isn't trusted. */
const STALE_MS = 5000;
/** A driver that has lost its server looks for it at once, or every five seconds; one that waits for it gives up after fifteen. */
const RECOVERY_MS = 90_000;
/** Longer than any answer may take, a busy machine's included. */
const HONEST_MS = 10_000;

let whole: TestService;
let cutOff: TestService[];
let line: TcpProxy;

/** Two instances lose the database together, the third keeps it. */
beforeAll(async () => {
  whole = await startService();
  line = await startTcpProxy(Number(new URL(whole.mongodbUri).port));
  const uri = new URL(whole.mongodbUri);
  uri.port = String(line.port);
  // The driver is to stay with this address, whatever others the server tells of.
  uri.searchParams.set('directConnection', 'true');
  cutOff = await Promise.all([1, 2].map(() => whole.replica({ MONGODB_URI: uri.href, CACHE_ENABLED: 'false' })));
}, 120_000);
afterEach(() => line.restore());

async function statuses(api: ApiClient): Promise<number[]> {
  return await Promise.all(cutOff.map(async (each) => (await api.at(each).get(STATS)).status));
}

const every = (status: number) => (all: number[]) => all.every((each) => each === status);

/** Somebody whose token both instances have accepted. */
async function knownUser(): Promise<TestUser> {
  const user = await registerUser(whole);
  expect(await statuses(user.api)).toEqual([200, 200]);
  return user;
}

describe.each<[string, 'cut' | 'silence']>([
  ['gone', 'cut'],
  ['silent', 'silence'],
])('while the database is %s', (_, how) => {
  it('ended sessions stay ended, nobody is let in on a guess, and all is well again by itself', async () => {
    const [ended, ending, staying] = await Promise.all([knownUser(), knownUser(), knownUser()]);
    expect((await ended.api.post(LOGOUT)).status).toBe(204);
    await waitFor('the end to be known', async () => every(401)(await statuses(ended.api)));

    line[how]();
    const cutAt = Date.now();
    expect((await ending.api.post(LOGOUT)).status).toBe(204);
    // What they knew before, they still know, also once the feed is too old to be trusted.
    expect(await statuses(ended.api)).toEqual([401, 401]);
    await delay(Math.max(0, STALE_MS + 500 - (Date.now() - cutAt)));
    expect(await statuses(ended.api)).toEqual([401, 401]);

    const askedAt = Date.now();
    expect(await statuses(staying.api)).toEqual([503, 503]);
    expect(Date.now() - askedAt).toBeLessThan(HONEST_MS);
    // Redis may have told of the end; if it didn't, nobody can say.
    for (const status of await statuses(ending.api)) expect([401, 503]).toContain(status);
    expect((await staying.api.at(whole).get(STATS)).status).toBe(200);

    line.restore();
    await waitFor('the instances to recover', async () => every(200)(await statuses(staying.api)), RECOVERY_MS);
    expect([await statuses(ended.api), await statuses(ending.api)]).toEqual([
      [401, 401],
      [401, 401],
    ]);
    const again = await logIn(cutOff[0] as TestService, ending);
    expect(await statuses(again.api)).toEqual([200, 200]);
  }, 180_000);
});
