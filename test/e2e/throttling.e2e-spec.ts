import { createHash, randomBytes } from 'node:crypto';
import { ObjectId } from 'mongodb';
import { ApiClient, type ApiResponse, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { type OwnRedis, startOwnRedis } from '../support/redis.js';
import { startService, type TestService } from '../support/service.js';
import { TASKS } from '../support/tasks.js';
import { newEmail, newRegistration, registerUser, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const GENERAL_LIMIT = 12;
const STRICT_LIMIT = 4;
const LOGIN = '/api/v1/auth/login';

let redis: OwnRedis;
let first: TestService;
let second: TestService;
let lastAddress = 0;
beforeAll(async () => {
  redis = await startOwnRedis();
  first = await startService({
    REDIS_URL: redis.url,
    TRUST_PROXY: '127.0.0.0/8',
    THROTTLE_GENERAL_LIMIT: String(GENERAL_LIMIT),
    THROTTLE_STRICT_LIMIT: String(STRICT_LIMIT),
    // Long enough that no window ends while it is looked at; one test waits for the end of a short one.
    THROTTLE_GENERAL_WINDOW_SECONDS: '900',
    THROTTLE_STRICT_WINDOW_SECONDS: '600',
  });
  second = await first.replica();
});

/** A client address that no other test uses. */
function newAddress(): { 'X-Forwarded-For': string } {
  lastAddress += 1;
  return { 'X-Forwarded-For': `198.51.100.${lastAddress}` };
}

async function newSession(): Promise<Tokens> {
  // A registration counts by its address: from one of its own it is always allowed.
  const { body } = await new ApiClient(first).post<Tokens>('/api/v1/auth/register', newRegistration(), newAddress());
  return body;
}

async function newUser() {
  return new ApiClient(first, (await newSession()).accessToken);
}

/** A key that reads the user's tasks, stored as the service stores it. */
async function newApiKey(userId: string): Promise<ApiClient> {
  const [_id, secret] = [new ObjectId(), randomBytes(32).toString('base64url')];
  await databaseOf(first)
    .collection('apikeys')
    .insertOne({
      _id,
      user: new ObjectId(userId),
      name: 'key',
      secretHash: createHash('sha256').update(secret).digest('base64url'),
      scopes: ['tasks:read'],
      role: 'user',
      expiresAt: new Date(Date.now() + 3_600_000),
      lastUsedAt: new Date(),
      createdAt: new Date(),
      version: 1,
    });
  return new ApiClient(first, `sak_${String(_id)}_${secret}`);
}

function refresh(service: TestService, refreshToken: string, address: Record<string, string>) {
  return new ApiClient(service).post<Tokens & Problem>('/api/v1/auth/refresh', { refreshToken }, address);
}

/** Sends as many requests as the general limit allows, and one more. */
async function exhaust(api: ApiClient, address: Record<string, string>): Promise<void> {
  const answers = await Promise.all(Array.from({ length: GENERAL_LIMIT + 1 }, () => api.get(TASKS, address)));
  expect(countOf(answers, 429)).toBe(1);
}

function logIn(service: TestService, headers: Record<string, string>): Promise<ApiResponse<Problem>> {
  // Another account each time: the lock of one that fails too often is not what is looked at here.
  return new ApiClient(service).post(LOGIN, { email: newEmail(), password: 'not-the-password' }, headers);
}

function countOf<T>(answers: ApiResponse<T>[], status: number): number {
  return answers.filter((answer) => answer.status === status).length;
}

describe('the general limit', () => {
  it('lets exactly as many through as it says, across instances and at once', async () => {
    const api = await newUser();
    const attempts = Array.from({ length: 3 * GENERAL_LIMIT }, (_, index) =>
      api.at(index % 2 ? first : second).get<Problem>(TASKS),
    );
    const answers = await Promise.all(attempts);
    expect([countOf(answers, 200), countOf(answers, 429)]).toEqual([GENERAL_LIMIT, 2 * GENERAL_LIMIT]);
    const left = answers
      .filter(({ status }) => status === 200)
      .map(({ headers }) => Number(headers.get('ratelimit-remaining')));
    expect(left.sort((a, b) => a - b)).toEqual(Array.from({ length: GENERAL_LIMIT }, (_, index) => index));
  });

  it('says in every answer what is left, and when to come back once nothing is', async () => {
    const api = await newUser();
    const { headers } = await api.get(TASKS);
    expect(headers.get('ratelimit-limit')).toBe(String(GENERAL_LIMIT));
    expect(headers.get('ratelimit-remaining')).toBe(String(GENERAL_LIMIT - 1));
    expect(Number(headers.get('ratelimit-reset'))).toBeGreaterThan(890);
    expect((await api.get(`${TASKS}/nonsense`)).headers.get('ratelimit-remaining')).toBe(String(GENERAL_LIMIT - 2));
    const refused = await waitFor('a refusal', async () => {
      const answer = await api.get<Problem>(TASKS);
      return answer.status === 429 && answer;
    });
    expect(refused.body.code).toBe('RATE_LIMITED');
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('ratelimit-remaining')).toBe('0');
  });

  it('counts each user apart, whatever the address', async () => {
    const [busy, calm] = await Promise.all([newUser(), newUser()]);
    const address = newAddress();
    await Promise.all(Array.from({ length: GENERAL_LIMIT + 1 }, () => busy.get(TASKS, address)));
    expect((await busy.get(TASKS, newAddress())).status).toBe(429);
    expect((await calm.get(TASKS, address)).status).toBe(200);
  });

  it.each([
    ['requests without a token', undefined, 'nonsense'],
    ['requests with an invalid token', 'nonsense', undefined],
  ])('counts %s by address, apart from the others', async (_, token, otherToken) => {
    const address = newAddress();
    const ask = () => new ApiClient(first, token).get<Problem>(TASKS, address);
    const answers = await Promise.all(Array.from({ length: GENERAL_LIMIT + 3 }, ask));
    expect([countOf(answers, 401), countOf(answers, 429)]).toEqual([GENERAL_LIMIT, 3]);
    expect((await new ApiClient(first, otherToken).get(TASKS, address)).status).toBe(401);
    expect((await new ApiClient(first, token).get(TASKS, newAddress())).status).toBe(401);
  });

  it('tells an expired token that it has expired, however many invalid ones come from its address', async () => {
    const brief = await first.replica({ ACCESS_TOKEN_TTL_SECONDS: '1' });
    const address = newAddress();
    await exhaust(new ApiClient(brief, 'nonsense'), address);
    const { api } = await registerUser(brief);
    const expired = await waitFor('the token to expire', async () => {
      const answer = await api.get<Problem>(TASKS, address);
      return answer.status === 401 && answer;
    });
    expect(expired).toMatchObject({ status: 401, body: { code: 'TOKEN_EXPIRED' } });
    await brief.stop();
  });

  it('counts a refresh by its session, whatever comes from its address', async () => {
    const [busy, calm] = await Promise.all([newSession(), newSession()]);
    const address = newAddress();
    await exhaust(new ApiClient(first, 'nonsense'), address);
    await exhaust(new ApiClient(first), address);
    const wrong = await Promise.all(
      Array.from({ length: GENERAL_LIMIT + 2 }, () => refresh(first, 'nonsense', address)),
    );
    expect([countOf(wrong, 401), countOf(wrong, 429)]).toEqual([0, GENERAL_LIMIT + 2]);

    let { refreshToken } = busy;
    for (let used = 1; used <= GENERAL_LIMIT; used++) {
      const { status, body, headers } = await refresh(used % 2 ? first : second, refreshToken, address);
      expect([status, headers.get('ratelimit-remaining')]).toEqual([200, String(GENERAL_LIMIT - used)]);
      refreshToken = body.refreshToken;
    }
    expect(await refresh(first, refreshToken, newAddress())).toMatchObject({
      status: 429,
      body: { code: 'RATE_LIMITED' },
    });
    expect((await refresh(first, calm.refreshToken, address)).status).toBe(200);
  });

  it('refuses a refresh whose body is not valid, and counts it like an invalid token', async () => {
    const address = newAddress();
    const send = (body: unknown) => new ApiClient(first).post('/api/v1/auth/refresh', body, address);
    const bodies = [{}, [], { refreshToken: 7 }, { refreshToken: null }];
    for (const body of bodies) expect((await send(body)).status).toBe(400);
    for (let used = bodies.length; used < GENERAL_LIMIT; used++) await send({ refreshToken: 'nonsense' });
    expect((await send({ refreshToken: 'nonsense' })).status).toBe(429);
    expect((await new ApiClient(first).get(TASKS, address)).status).toBe(401);
  });

  it('counts each API key apart, and apart from its owner', async () => {
    const { accessToken, user } = await newSession();
    const owner = new ApiClient(first, accessToken);
    const [busy, calm] = await Promise.all([newApiKey(user.id), newApiKey(user.id)]);
    await exhaust(busy, newAddress());
    expect((await busy.at(second).get(TASKS)).status).toBe(429);
    expect((await calm.get(TASKS)).status).toBe(200);
    const { status, headers } = await owner.get(TASKS);
    expect([status, headers.get('ratelimit-remaining')]).toEqual([200, String(GENERAL_LIMIT - 1)]);
  });

  it('counts requests for the public keys apart', async () => {
    const address = newAddress();
    const ask = () => new ApiClient(first).get('/.well-known/jwks.json', address);
    await exhaust(new ApiClient(first), address);
    const answers = await Promise.all(Array.from({ length: GENERAL_LIMIT + 1 }, ask));
    expect([countOf(answers, 200), countOf(answers, 429)]).toEqual([GENERAL_LIMIT, 1]);
  });

  it.each(['/health', '/health/live', '/health/ready'])('never counts %s', async (path) => {
    const address = newAddress();
    const client = new ApiClient(first);
    const answers = await Promise.all(Array.from({ length: GENERAL_LIMIT + 5 }, () => client.get(path, address)));
    expect(countOf(answers, 200)).toBe(GENERAL_LIMIT + 5);
    expect(answers[0]?.headers.get('ratelimit-limit')).toBeNull();
  });
});

describe('the strict limit', () => {
  it('holds for log-ins from one address, across instances and at once', async () => {
    const address = newAddress();
    const answers = await Promise.all(
      Array.from({ length: 3 * STRICT_LIMIT }, (_, index) => logIn(index % 2 ? first : second, address)),
    );
    expect([countOf(answers, 401), countOf(answers, 429)]).toEqual([STRICT_LIMIT, 2 * STRICT_LIMIT]);
    expect(answers[0]?.headers.get('ratelimit-limit')).toBe(String(STRICT_LIMIT));
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(590);
    expect((await logIn(first, newAddress())).status).toBe(401);
  });

  it('holds for registrations too, and a log-in uses up none of them', async () => {
    const address = newAddress();
    await Promise.all(Array.from({ length: STRICT_LIMIT }, () => logIn(first, address)));
    const register = () => new ApiClient(first).post('/api/v1/auth/register', {}, address);
    const answers = await Promise.all(Array.from({ length: STRICT_LIMIT + 2 }, register));
    expect([countOf(answers, 400), countOf(answers, 429)]).toEqual([STRICT_LIMIT, 2]);
  });

  it('ends with its window', async () => {
    const brief = await first.replica({ THROTTLE_STRICT_WINDOW_SECONDS: '1', THROTTLE_STRICT_LIMIT: '1' });
    const address = newAddress();
    await logIn(brief, address);
    expect((await logIn(brief, address)).status).toBe(429);
    await waitFor('the window to end', async () => (await logIn(brief, address)).status === 401);
    await brief.stop();
  });

  it('counts the address in front of as many proxies as are trusted', async () => {
    const behind = await first.replica({ TRUST_PROXY: '1' });
    const address = newAddress();
    const attempts = Array.from({ length: STRICT_LIMIT + 2 }, () => logIn(behind, address));
    expect(countOf(await Promise.all(attempts), 429)).toBe(2);
    // What a client puts before the address that the proxy adds is the client's word alone.
    const madeUp = `${newAddress()['X-Forwarded-For']}, ${address['X-Forwarded-For']}`;
    expect((await logIn(behind, { 'X-Forwarded-For': madeUp })).status).toBe(429);
    expect((await logIn(behind, newAddress())).status).toBe(401);
    await behind.stop();
  });

  it('counts all addresses of an IPv6 network as one client, and an IPv4 address however it is written', async () => {
    const statusFrom = async (address: string) => (await logIn(first, { 'X-Forwarded-For': address })).status;
    for (let host = 1; host <= STRICT_LIMIT; host++) expect(await statusFrom(`2001:db8:7:${host}::1`)).toBe(401);
    expect(await statusFrom('2001:db8:7:ff:ffff:ffff:ffff:ffff')).toBe(429);
    expect(await statusFrom('2001:db8:7:100::1')).toBe(401);
    for (let attempt = 0; attempt < STRICT_LIMIT; attempt++) expect(await statusFrom('203.0.113.77')).toBe(401);
    expect(await statusFrom('::ffff:203.0.113.77')).toBe(429);
    expect(await statusFrom('::ffff:203.0.113.78')).toBe(401);
  });

  it('so does the limit of failed log-ins', async () => {
    const guarded = await first.replica({ LOGIN_ADDRESS_FAILURES: '2', THROTTLE_STRICT_LIMIT: '1000000' });
    const from = async (address: string) => (await logIn(guarded, { 'X-Forwarded-For': address })).status;
    expect([await from('2001:db8:9:9::1'), await from('2001:db8:9:a::1')]).toEqual([401, 401]);
    expect([await from('2001:db8:9:b::1'), await from('2001:db8:9:100::1')]).toEqual([429, 401]);
    await guarded.stop();
  });

  it.each([
    ['198.51.101.7', '198.51.101.8'],
    ['[2001:db8:a::7]', '[2001:db8:b::7]'],
  ])('counts connections from %s as one client where the proxy writes their ports', async (address, other) => {
    const from = (entry: string) => logIn(first, { 'X-Forwarded-For': entry });
    const answers = await Promise.all(
      Array.from({ length: STRICT_LIMIT + 2 }, (_, index) => from(`${address}:${40000 + index}`)),
    );
    expect([countOf(answers, 401), countOf(answers, 429)]).toEqual([STRICT_LIMIT, 2]);
    expect((await from(`${other}:40000`)).status).toBe(401);
  });

  it('cannot be dodged with a made-up X-Forwarded-For where no proxy is trusted', async () => {
    const direct = await first.replica({ TRUST_PROXY: 'false' });
    const attempts = Array.from({ length: STRICT_LIMIT + 2 }, () => logIn(direct, newAddress()));
    expect(countOf(await Promise.all(attempts), 429)).toBe(2);
    await direct.stop();
  });
});

describe('without Redis', () => {
  it('one that hangs delays one request by the time limit, not each', async () => {
    const alone = await first.replica({ THROTTLE_GENERAL_LIMIT: '1000000' });
    const api = new ApiClient(alone);
    redis.pause();
    try {
      await api.get(TASKS, newAddress());
      const began = performance.now();
      for (let sent = 0; sent < 20; sent += 1) expect((await api.get(TASKS, newAddress())).status).toBe(401);
      // A quarter of a second each, without a circuit.
      expect(performance.now() - began).toBeLessThan(2500);
    } finally {
      redis.resume();
    }
    await alone.stop();
  });

  it('each instance counts for itself, and nothing fails', async () => {
    const alone = await first.replica();
    const { api, tokens } = await registerUser(alone);
    redis.kill();
    const answers = await Promise.all(Array.from({ length: GENERAL_LIMIT + 4 }, () => api.get<Problem>(TASKS)));
    const refused = countOf(answers, 429);
    expect(countOf(answers, 200) + refused).toBe(GENERAL_LIMIT + 4);
    expect(refused).toBeGreaterThan(0);
    const { refreshToken } = tokens;
    const refreshed = await Promise.all(
      Array.from({ length: GENERAL_LIMIT + 4 }, () => refresh(alone, refreshToken, newAddress())),
    );
    expect([countOf(refreshed, 200), countOf(refreshed, 429)]).toEqual([GENERAL_LIMIT, 4]);
    expect((await new ApiClient(alone).get<{ status: string }>('/health')).body.status).toBe('ok');
  });
});
