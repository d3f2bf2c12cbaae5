import { ApiClient, type ApiResponse, type Problem } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import { newEmail, newRegistration, registerUser } from '../support/users.js';

const LOGIN = '/api/v1/auth/login';
/** Far more than can be checked while one waits. */
const FLOOD = 300;
const WAIT_MS = 1000;
/** By how much a log-in may cost more than another request that reads and writes the database. */
const MAX_RATIO = 5;
const TRIES = 3;
const CROWDED = { 'X-Forwarded-For': '2001:db8:1:2ff::3' };
const ELSEWHERE = { 'X-Forwarded-For': '2001:db8:2:2::3' };

let service: TestService;
let api: ApiClient;
beforeAll(async () => {
  service = await startService({ PASSWORD_MAX_WAIT_MS: String(WAIT_MS), TRUST_PROXY: '1' });
  api = new ApiClient(service);
});

/** Sends as many requests at once from one network, each for another account that doesn't exist. */
const flood = (path = LOGIN, fields: object = { password: 'no-such-account' }): Promise<ApiResponse<Problem>[]> =>
  Promise.all(
    Array.from({ length: FLOOD }, (_, host) => {
      // All of one /56, and so is CROWDED.
      const address = `2001:db8:1:2${(host % 100).toString().padStart(2, '0')}::1`;
      return api.post<Problem>(path, { email: newEmail(), ...fields }, { 'X-Forwarded-For': address });
    }),
  );

/** @returns how long the flood took, and the 95th percentile of other requests meanwhile, in milliseconds */
async function during(start: () => Promise<unknown>): Promise<{ took: number; p95: number }> {
  const times: number[] = [];
  const began = performance.now();
  let took = 0;
  const flooding = start().finally(() => (took = performance.now() - began));
  while (took === 0) {
    const askedAt = performance.now();
    await api.get('/health/live');
    times.push(performance.now() - askedAt);
  }
  await flooding;
  return { took, p95: times.sort((one, other) => one - other)[Math.floor(times.length * 0.95)]! };
}

async function countRefusedPasswords(): Promise<number> {
  const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  return Number(/^limited_work_refused_total\{limit="passwords"\} (\d+)$/m.exec(metrics)?.[1]);
}

describe('more passwords than can be checked', () => {
  it('are refused after about a second, with 503 and Retry-After, and other requests are not delayed', async () => {
    const forgotten = await during(() => flood('/api/v1/auth/password/forgot', {}));
    let isQuick = false;
    for (let tries = 0; tries < TRIES && !isQuick; tries++) {
      let answers: ApiResponse<Problem>[] = [];
      const { took, p95 } = await during(async () => (answers = await flood()));
      const outcomes = answers.map(({ status, body }) => `${status} ${body.code}`);
      expect([...new Set(outcomes)].sort()).toEqual(['401 INVALID_CREDENTIALS', '503 OVERLOADED']);
      const refused = answers.filter(({ status }) => status === 503);
      expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true);
      isQuick = took < WAIT_MS + MAX_RATIO * forgotten.took && p95 < MAX_RATIO * forgotten.p95;
    }
    expect(isQuick).toBe(true);
  });

  it('of one network keep nobody else from logging in, registering or changing a password', async () => {
    const user = await registerUser(service);
    const flooded = flood();
    const { email, password } = user;
    const login = api.post(LOGIN, { email, password }, ELSEWHERE);
    const register = api.post('/api/v1/auth/register', newRegistration(), ELSEWHERE);
    const change = { currentPassword: password, newPassword: 'another-horse-battery' };
    expect([(await login).status, (await register).status]).toEqual([200, 201]);
    expect((await user.api.post('/api/v1/auth/password/change', change, ELSEWHERE)).status).toBe(204);
    expect((await flooded).some(({ status }) => status === 503)).toBe(true);
  });

  it('are refused whatever they are needed for', async () => {
    const user = await registerUser(service);
    const before = await countRefusedPasswords();
    const registering = Array.from({ length: FLOOD }, () =>
      api.post<Problem>('/api/v1/auth/register', newRegistration(), CROWDED),
    );
    expect((await Promise.all(registering)).some(({ body }) => body.code === 'OVERLOADED')).toBe(true);
    // Other limits refuse with the same code.
    expect(await countRefusedPasswords()).toBeGreaterThan(before);
    expect((await api.post(LOGIN, { email: user.email, password: user.password }, CROWDED)).status).toBe(200);
  });
});
