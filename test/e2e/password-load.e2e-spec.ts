import { ApiClient, type ApiResponse, type Problem } from '../support/api-client.js';
import { quickest } from '../support/quickest.js';
import { startService, type TestService } from '../support/service.js';
import { newEmail, newRegistration, registerUser } from '../support/users.js';

const LOGIN = '/api/v1/auth/login';
/** Far more than can be checked in a second. */
const FLOOD = 400;
/** The wait for a password, and what it takes to send and answer so many requests. */
const FLOOD_MS = 5000;
/** Of a request that has nothing to do with passwords; a machine that is busy with something else takes longer now and then. */
const DELAY_MS = 250;
const CROWDED = { 'X-Forwarded-For': '2001:db8:1:2::3' };
const ELSEWHERE = { 'X-Forwarded-For': '2001:db8:2:2::3' };

let service: TestService;
let api: ApiClient;
beforeAll(async () => {
  service = await startService({ PASSWORD_MAX_WAIT_MS: '1000', TRUST_PROXY: '1' });
  api = new ApiClient(service);
});

/** Log-ins from one network, each for another account that doesn't exist. */
const flood = (): Promise<ApiResponse<Problem>[]> =>
  Promise.all(
    Array.from({ length: FLOOD }, (_, host) =>
      api.post<Problem>(
        LOGIN,
        { email: newEmail(), password: 'no-such-account' },
        // All of one /56.
        { 'X-Forwarded-For': `2001:db8:1:2${(host % 100).toString().padStart(2, '0')}::1` },
      ),
    ),
  );

async function p95WhileFlooded(): Promise<number> {
  const times: number[] = [];
  let flooding = true;
  const flooded = flood().finally(() => (flooding = false));
  while (flooding) {
    const began = performance.now();
    await api.get('/health/live');
    times.push(performance.now() - began);
  }
  await flooded;
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.95)]!;
}

describe('more passwords than can be checked', () => {
  it('are refused after about a second, with 503 and Retry-After', async () => {
    let answers: ApiResponse<Problem>[] = [];
    const took = await quickest(FLOOD_MS, async () => {
      const began = performance.now();
      answers = await flood();
      return performance.now() - began;
    });
    expect(took).toBeLessThan(FLOOD_MS);
    const codes = answers.map(({ status, body }) => `${status} ${body.code}`);
    expect([...new Set(codes)].sort()).toEqual(['401 INVALID_CREDENTIALS', '503 OVERLOADED']);
    const refused = answers.filter(({ status }) => status === 503);
    expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true);
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
    const flooded = flood();
    // Behind all the others of its network.
    const register = await Promise.all(
      Array.from({ length: 50 }, () => api.post<Problem>('/api/v1/auth/register', newRegistration(), CROWDED)),
    );
    expect(register.some(({ body }) => body.code === 'OVERLOADED')).toBe(true);
    await flooded;
    expect((await api.post(LOGIN, { email: user.email, password: user.password }, CROWDED)).status).toBe(200);
  });

  it('delay no other request', async () => {
    expect(await quickest(DELAY_MS, p95WhileFlooded)).toBeLessThan(DELAY_MS);
  });
});
