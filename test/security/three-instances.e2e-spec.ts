import { ObjectId } from 'mongodb';
import { ApiClient, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailsTo, mailTo, tokenIn } from '../support/mail.js';
import { quickest } from '../support/quickest.js';
import { type OwnRedis, startOwnRedis } from '../support/redis.js';
import { startService, type TestService } from '../support/service.js';
import { shiftedClock } from '../support/shifted-clock.js';
import {
  createAdmin,
  deleteUser,
  logIn,
  newEmail,
  registerUser,
  setRole,
  type TestUser,
  type Tokens,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { atOnce, tally } from './support/requests.js';

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
const STATS = '/api/v1/tasks/stats';
const PARALLEL = 200;
const LOCK_FAILURES = 10;
/** How long the end of a session may take to be known everywhere. */
const EVERYWHERE_MS = 1000;

let redis: OwnRedis;
let instances: TestService[];
let admin: TestUser;
beforeAll(async () => {
  redis = await startOwnRedis();
  // Behind a proxy, for limits by address to be an address's own in each test.
  const first = await startService({ REDIS_URL: redis.url, TRUST_PROXY: '1', MAX_EVENT_LOOP_LAG_MS: '60000' });
  instances = [first, ...(await Promise.all([first.replica(), first.replica()]))];
  admin = await createAdmin(first);
});
/** The instance whose turn it is. */
function instance(number: number): TestService {
  return instances[number % instances.length] as TestService;
}

/** What each instance answers to one request with these credentials. */
async function everywhere(api: ApiClient, path = STATS): Promise<number[]> {
  return await Promise.all(instances.map(async (each) => (await api.at(each).get(path)).status));
}

/** @returns milliseconds until all have refused it */
async function untilRefusedEverywhere(api: ApiClient, path = STATS, refusals = [401]): Promise<number> {
  const since = Date.now();
  const refused = async () => (await everywhere(api, path)).every((status) => refusals.includes(status));
  await waitFor(`${refusals.join(' or ')} on all instances`, refused);
  return Date.now() - since;
}

describe('one refresh token', () => {
  it('gives 200 parallel refreshes one successor; offered later, it ends the session everywhere', async () => {
    const elapsed = await quickest(EVERYWHERE_MS, async () => {
      const { api, tokens } = await registerUser(instance(0));
      const refresh = (refreshToken: string, number: number) =>
        new ApiClient(instance(number)).post<Tokens & Problem>(`${AUTH}/refresh`, { refreshToken });
      const answers = await atOnce(PARALLEL, (number) => refresh(tokens.refreshToken, number));
      expect(tally(answers)).toEqual({ 200: PARALLEL });
      const successors = [...new Set(answers.map(({ body }) => body.refreshToken))];
      expect(successors).toHaveLength(1);
      const next = await refresh(successors[0] as string, 1);
      expect(next.status).toBe(200);

      const reuse = await refresh(tokens.refreshToken, 2);
      expect([reuse.status, reuse.body.code]).toEqual([401, 'REFRESH_TOKEN_REUSED']);
      let longest = 0;
      for (const token of [api.accessToken, answers[7]?.body.accessToken, next.body.accessToken]) {
        longest = Math.max(longest, await untilRefusedEverywhere(new ApiClient(instance(0), token)));
      }
      const afterwards = await atOnce(3, (number) => refresh(next.body.refreshToken, number));
      expect(tally(afterwards)).toEqual({ 401: 3 });
      return longest;
    });
    expect(elapsed).toBeLessThan(EVERYWHERE_MS);
  });
});

describe('limits', () => {
  const LIMIT = 25;
  let limited: TestService[];
  beforeAll(async () => {
    const limits = { THROTTLE_GENERAL_LIMIT: String(LIMIT), THROTTLE_STRICT_LIMIT: String(LIMIT) };
    limited = await Promise.all([0, 1, 2].map((number) => instance(number).replica(limits)));
  });
  afterAll(async () => {
    await Promise.all(limited.map((each) => each.stop()));
  });

  it.each<[string, number, (api: ApiClient) => Promise<{ status: number }>]>([
    ['general', 200, (api) => api.get(STATS)],
    [
      'strict',
      202,
      (api) => api.post(`${AUTH}/password/forgot`, { email: newEmail() }, { 'X-Forwarded-For': '203.0.113.25' }),
    ],
  ])('let exactly as many through as they say, whatever instance is asked (%s)', async (_, success, send) => {
    const { api } = await registerUser(instance(0));
    const answers = await atOnce(90, (number) => send(api.at(limited[number % 3] as TestService)));
    expect(tally(answers)).toEqual({ [success]: LIMIT, 429: 90 - LIMIT });
  });
});

describe('the lock of an account', () => {
  const logInAt = (number: number, email: string, password: string, address = '203.0.113.1') =>
    new ApiClient(instance(number)).post<Problem>(`${AUTH}/login`, { email, password }, { 'X-Forwarded-For': address });

  it('checks ten of 200 parallel guesses, and then refuses the right password too', async () => {
    const { email, password } = await registerUser(instance(0));
    const answers = await atOnce(PARALLEL, (number) => logInAt(number, email, `wrong-${number}-horse`));
    const { 401: evaluated = 0 } = tally(answers);
    expect(tally(answers)).toEqual({ 401: evaluated, 423: PARALLEL - evaluated });
    expect(evaluated).toBeLessThanOrEqual(LOCK_FAILURES);
    const right = await atOnce(3, (number) => logInAt(number, email, password));
    expect(tally(right)).toEqual({ 423: 3 });
  });

  it("doesn't stand in the way of twenty parallel log-ins with the right password", async () => {
    const { email, password } = await registerUser(instance(0));
    const answers = await atOnce(20, (number) => logInAt(number, email, password, '203.0.113.2'));
    expect(tally(answers)).toEqual({ 200: 20 });
  });
});

// With Redis the news travels by it; without, each instance polls the database.
describe.each(['up', 'down'])('with Redis %s', (state) => {
  beforeAll(() => {
    if (state === 'down') redis.kill();
  });

  it('a network that fails to log in is locked on all instances; the owner elsewhere logs in on all', async () => {
    const { email, password } = await registerUser(instance(0));
    const logInFrom = (address: string, given: string, number: number) =>
      new ApiClient(instance(number)).post(`${AUTH}/login`, { email, password: given }, { 'X-Forwarded-For': address });
    for (let failure = 0; failure < LOCK_FAILURES; failure++) {
      expect((await logInFrom('203.0.113.50:4711', 'wrong-horse-battery', failure)).status).toBe(401);
    }
    expect(tally(await atOnce(3, (number) => logInFrom(`203.0.113.50:${number}`, password, number)))).toEqual({
      423: 3,
    });
    expect(tally(await atOnce(3, (number) => logInFrom('203.0.113.51', password, number)))).toEqual({ 200: 3 });
  });

  it('an administrator who is demoted is none on any instance within a second', async () => {
    const other = await registerUser(instance(0));
    const role = (name: string) => setRole(admin, other, name);
    const elapsed = await quickest(EVERYWHERE_MS, async () => {
      await waitFor('the profile', async () => (await role('admin')).status === 200);
      const demoted = await waitFor('a token of an administrator', async () => {
        const again = await logIn(instance(1), other);
        return again.tokens.user.role === 'admin' && again;
      });
      expect(await everywhere(demoted.api, `${AUTH}/audit`)).toEqual([200, 200, 200]);
      expect((await role('user')).status).toBe(200);
      return await untilRefusedEverywhere(demoted.api, `${AUTH}/audit`, [401, 403]);
    });
    expect(elapsed).toBeLessThan(EVERYWHERE_MS);
  });

  it.each<[string, (user: TestUser) => Promise<{ status: number }>]>([
    ['logging out', ({ api }) => api.post(`${AUTH}/logout`)],
    ['logging out everywhere', ({ api }) => api.post(`${AUTH}/logout-all`)],
    ['a password reset', resetPassword],
    ['deleting the account', ({ api, password }) => api.send('DELETE', ME, { password })],
    ['being deleted by an administrator', (user) => deleteUser(admin, user)],
  ])('%s ends the tokens on all instances within a second', async (how, end) => {
    const elapsed = await quickest(EVERYWHERE_MS, async () => {
      const user = await registerUser(instance(2));
      const elsewhere = await logIn(instance(1), user);
      await waitFor('the profile', async () => (await everywhere(user.api, ME)).every((status) => status === 200));
      expect([200, 202, 204]).toContain((await end(user)).status);
      const ended = how === 'logging out' ? [user] : [user, elsewhere];
      const all = await Promise.all(ended.map(({ api }) => untilRefusedEverywhere(api)));
      const { refreshToken } = user.tokens;
      const refreshed = await atOnce(3, (number) =>
        new ApiClient(instance(number)).post(`${AUTH}/refresh`, { refreshToken }),
      );
      expect(tally(refreshed)).toEqual({ 401: 3 });
      return Math.max(...all);
    });
    expect(elapsed).toBeLessThan(EVERYWHERE_MS);
  });
});

it('without Redis, a log-out counts on instances whose clocks are 90 s ahead or behind', async () => {
  redis.kill();
  const others = await Promise.all([90, -90].map((seconds) => instance(0).replica(shiftedClock(seconds))));
  for (const [ender, observer] of [
    [instance(0), others[0]],
    [others[1], instance(0)],
  ] as [TestService, TestService][]) {
    const { api } = await registerUser(ender);
    const status = async () => (await api.at(observer).get(STATS)).status;
    await waitFor('the session to be known', async () => (await status()) === 200);
    expect((await api.at(ender).post(`${AUTH}/logout`)).status).toBe(204);
    await waitFor('the token to be refused', async () => (await status()) === 401, 5 * EVERYWHERE_MS);
  }
  await Promise.all(others.map((each) => each.stop()));
});

async function resetPassword({ email }: TestUser): Promise<{ status: number }> {
  const anonymous = new ApiClient(instance(0));
  await anonymous.post(`${AUTH}/password/forgot`, { email });
  const mail = await mailTo(email, ({ text }) => text.includes('/reset-password#'));
  return await anonymous.post(`${AUTH}/password/reset`, { token: tokenIn(mail), password: 'another-horse-battery' });
}

describe('messages', () => {
  it('with links reach an address three times an hour, whichever instances are asked at once', async () => {
    const { api, email } = await registerUser(instance(0));
    const ask = (number: number) => {
      const at = api.at(instance(number));
      return number % 2 ? at.post(`${AUTH}/email/resend`) : at.post(`${AUTH}/password/forgot`, { email });
    };
    await atOnce(12, ask);
    await waitFor('three mails', () => mailsTo(email).length >= 3);
    // Asked for later, so one too many would have gone out by then.
    const marker = await registerUser(instance(1));
    await marker.api.post(`${AUTH}/password/forgot`, { email: marker.email });
    await mailTo(marker.email, ({ text }) => text.includes('/reset-password#'));
    expect(mailsTo(email)).toHaveLength(3);
  });

  it('with links keep one mail for a password reset, whichever instances are asked for verifications', async () => {
    const { api, email } = await registerUser(instance(0));
    await atOnce(12, (number) => api.at(instance(number)).post(`${AUTH}/email/resend`));
    await new ApiClient(instance(1)).post(`${AUTH}/password/forgot`, { email });
    await mailTo(email, ({ text }) => text.includes('/reset-password#'));
    // They may come in any order. Whatever else was to be sent was due before the mail to somebody else.
    await waitFor('all three mails', () => mailsTo(email).length >= 3);
    const marker = await registerUser(instance(0));
    await mailTo(marker.email);
    expect(mailsTo(email)).toHaveLength(3);
  });

  it('of one type within a minute become one, whichever instances the events are handled by', async () => {
    const user = await registerUser(instance(0));
    const database = databaseOf(instance(0));
    const owner = new ObjectId(user.id);
    const contacts = database.collection('contacts');
    await waitFor('the contact', () => contacts.findOne({ _id: owner }));
    const until = new Date(Date.now() + 3_600_000);
    await contacts.updateOne({ _id: owner }, { $set: { 'burstsUntil.task_completed': until } });
    const operations = Array.from({ length: 30 }, () => ({ op: 'create', task: { title: 'T', status: 'done' } }));
    const answers = await atOnce(3, (number) =>
      user.api.at(instance(number)).post('/api/v1/tasks/bulk', { operations }),
    );
    expect(tally(answers)).toEqual({ 200: 3 });
    const entries = database.collection('notifications');
    await waitFor('the inbox', async () => (await entries.countDocuments({ user: owner })) === 90, 60_000);
    const messages = await database.collection('deliveries').find({ user: owner, event: 'task.completed' }).toArray();
    expect(messages.map(({ channel, collapsedCount }) => [channel, collapsedCount] as unknown[])).toEqual([
      ['email', 90],
    ]);
  });
});
