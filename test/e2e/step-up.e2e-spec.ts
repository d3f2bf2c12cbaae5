import { ObjectId } from 'mongodb';
import type { ApiResponse, PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { allowCodeAgain, codeOf } from '../support/totp.js';
import { createAdmin, logIn, newEmail, registerVerifiedUser, type TestUser } from '../support/users.js';

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
const LIMIT = 10;
const WRONG = 'wrong-horse-battery';

type StepUpProblem = Problem & { methods: string[] };
type Proof = { password?: string; code?: string };

let service: TestService;
beforeAll(async () => {
  service = await startService();
});

/** All routes of this module that need a step-up, and what they answer once they have it. */
const ROUTES: [string, number, (user: TestUser, proof: Proof) => Promise<ApiResponse<StepUpProblem>>][] = [
  ['POST email/change', 202, ({ api }, proof) => api.post(`${AUTH}/email/change`, { email: newEmail(), ...proof })],
  ['POST mfa/totp', 201, ({ api }, proof) => api.post(`${AUTH}/mfa/totp`, proof)],
  ['DELETE mfa/totp', 204, ({ api }, proof) => api.send('DELETE', `${AUTH}/mfa/totp`, proof)],
  [
    'POST api-keys',
    201,
    ({ api }, proof) => api.post(`${AUTH}/api-keys`, { name: 'x', scopes: ['notifications:read'], ...proof }),
  ],
  ['DELETE users/me', 204, ({ api }, proof) => api.send('DELETE', ME, proof)],
];

/** Turns a second factor on. @returns its secret */
async function enableTotp(user: TestUser): Promise<string> {
  const { api, password } = user;
  const { body } = await api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password });
  const confirmed = await api.post(`${AUTH}/mfa/totp/confirm`, { code: codeOf(body.secret) });
  expect(confirmed).toMatchObject({ status: 200 });
  await allowCodeAgain(service, user);
  return body.secret;
}

describe.each(ROUTES)('%s', (_, success, send) => {
  it('asks for the password, refuses a wrong one, and takes the right one', async () => {
    const user = await registerVerifiedUser(service);
    expect(await send(user, {})).toMatchObject({
      status: 403,
      body: { code: 'STEP_UP_REQUIRED', methods: ['password'] },
    });
    expect(await send(user, { password: WRONG })).toMatchObject({ status: 401, body: { code: 'INVALID_CREDENTIALS' } });
    expect(await send(user, { password: user.password })).toMatchObject({ status: success });
  });

  it('asks for a code, too, where a second factor is on', async () => {
    const user = await registerVerifiedUser(service);
    const secret = await enableTotp(user);
    const { password } = user;
    const missing = { status: 403, body: { code: 'STEP_UP_REQUIRED', methods: ['password', 'code'] } };
    expect(await send(user, { password })).toMatchObject(missing);
    expect(await send(user, { code: codeOf(secret) })).toMatchObject(missing);
    expect(await send(user, { password, code: '000000' })).toMatchObject({ status: 401 });
    // A second factor isn't set up beside another one.
    const expected = send === ROUTES[1]?.[2] ? 403 : success;
    expect(await send(user, { password, code: codeOf(secret) })).toMatchObject({ status: expected });
  });
});

describe('a step-up', () => {
  const makeKey = ROUTES[3]![2];

  it('takes a code once, whichever route it is for', async () => {
    const user = await registerVerifiedUser(service);
    const proof = { password: user.password, code: codeOf(await enableTotp(user)) };
    const answers = await Promise.all([makeKey(user, proof), makeKey(user, proof)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401]);
    expect(await ROUTES[0]![2](user, proof)).toMatchObject({ status: 401 });
  });

  it('of an account without password and second factor is a log-in of the last ten minutes', async () => {
    const user = await registerVerifiedUser(service);
    const database = databaseOf(service);
    const sessions = database.collection('sessions');
    await database.collection('accounts').updateOne({ _id: new ObjectId(user.id) }, { $unset: { passwordHash: 1 } });
    expect(await makeKey(user, {})).toMatchObject({ status: 201 });
    const createdAt = (seconds: number) => ({ $set: { createdAt: new Date(Date.now() - seconds * 1000) } });
    await sessions.updateOne({ user: new ObjectId(user.id) }, createdAt(590));
    expect(await makeKey(user, {})).toMatchObject({ status: 201 });
    await sessions.updateOne({ user: new ObjectId(user.id) }, createdAt(601));
    const { tokens } = user;
    expect(await user.api.post(`${AUTH}/refresh`, { refreshToken: tokens.refreshToken })).toMatchObject({
      status: 200,
    });
    expect(await makeKey(user, {})).toMatchObject({ status: 403, body: { code: 'STEP_UP_REQUIRED', methods: [] } });
  });

  it('limits wrong codes, however many right passwords come between them', async () => {
    const user = await registerVerifiedUser(service);
    const secret = await enableTotp(user);
    const { password } = user;
    for (let guess = 0; guess < LIMIT; guess++) {
      expect(await makeKey(user, { password, code: '000000' })).toMatchObject({ status: 401 });
    }
    const refused = await makeKey(user, { password, code: codeOf(secret) });
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('limits wrong passwords, which leave the codes alone', async () => {
    const user = await registerVerifiedUser(service);
    const { password } = user;
    const { body } = await user.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password });
    for (let guess = 0; guess < LIMIT; guess++) {
      expect(await makeKey(user, { password: WRONG })).toMatchObject({ status: 401 });
    }
    expect(await makeKey(user, { password })).toMatchObject({ status: 429 });
    const confirmed = user.api.post(`${AUTH}/mfa/totp/confirm`, { code: codeOf(body.secret) });
    expect(await confirmed).toMatchObject({ status: 200 });
  });

  it('counts the codes that confirm a second factor', async () => {
    const user = await registerVerifiedUser(service);
    const { body } = await user.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password: user.password });
    const confirm = (code: string) => user.api.post<Problem>(`${AUTH}/mfa/totp/confirm`, { code });
    for (let guess = 0; guess < LIMIT; guess++) expect(await confirm('000000')).toMatchObject({ status: 401 });
    expect(await confirm(codeOf(body.secret))).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
  });

  it('takes right passwords and codes again after a password reset', async () => {
    const user = await registerVerifiedUser(service);
    const { body } = await user.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password: user.password });
    for (let guess = 0; guess < LIMIT; guess++) {
      expect(await makeKey(user, { password: WRONG })).toMatchObject({ status: 401 });
      expect(await user.api.post(`${AUTH}/mfa/totp/confirm`, { code: '000000' })).toMatchObject({ status: 401 });
    }
    expect(await makeKey(user, { password: user.password })).toMatchObject({ status: 429 });
    const code = codeOf(body.secret);
    expect(await user.api.post(`${AUTH}/mfa/totp/confirm`, { code })).toMatchObject({ status: 429 });

    await user.api.post(`${AUTH}/password/forgot`, { email: user.email });
    const token = tokenIn(await mailTo(user.email, ({ text }) => text.includes('/reset-password#')));
    const password = 'another-horse-battery';
    expect(await user.api.post(`${AUTH}/password/reset`, { token, password })).toMatchObject({ status: 204 });
    expect(await enableTotp(await logIn(service, { ...user, password }))).toEqual(expect.any(String));
  });

  it('that fails is audited, with what was wrong and from where', async () => {
    const user = await registerVerifiedUser(service);
    const { password } = user;
    await makeKey(user, { password: WRONG });
    await enableTotp(user);
    await makeKey(user, { password, code: '000000' });
    const admin = await createAdmin(service);
    const path = `${AUTH}/audit?actorId=${user.id}&event=step-up.failed`;
    const { body } = await admin.api.get<PageOf<{ ip: string; details: object }>>(path);
    expect(body.data.map(({ details }) => details)).toEqual([{ method: 'code' }, { method: 'password' }]);
    expect(body.data[0]?.ip).toBe('127.0.0.1');
    expect(JSON.stringify(body)).not.toContain(WRONG);
  });

  it('is limited strictly by address', async () => {
    const limited = await service.replica({ THROTTLE_STRICT_LIMIT: '2' });
    const user = await registerVerifiedUser(service);
    user.api = user.api.at(limited);
    for (const [, , send] of ROUTES) {
      expect((await send(user, {})).headers.get('ratelimit-limit')).toBe('2');
    }
    await limited.stop();
  });
});
