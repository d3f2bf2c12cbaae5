import { hash, verify } from '@node-rs/argon2';
import { MongoClient, ObjectId } from 'mongodb';
import { MANIFESTS } from '../../src/modules.js';
import { ApiClient, type PageOf, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailsTo, mailTo, tokenIn } from '../support/mail.js';
import { newPushKeys } from '../support/push.js';
import { startService, type TestService } from '../support/service.js';
import { allowCodeAgain, codeOf } from '../support/totp.js';
import {
  createAdmin,
  createApiKey,
  deleteUser,
  logIn,
  newEmail,
  newRegistration,
  registerUser,
  registerVerifiedUser,
  setRole,
  type TestUser,
  type Tokens,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
/** How many refusals of a user a process audits. */
const AUDITED_PER_HOUR = 10;

let service: TestService;
let anonymous: ApiClient;

beforeAll(async () => {
  service = await startService({ LOGIN_ADDRESS_FAILURES: '1000' });
  anonymous = new ApiClient(service);
});

function login(user: Pick<TestUser, 'email' | 'password'>) {
  return anonymous.post<Tokens & Problem & { mfaToken: string }>(`${AUTH}/login`, {
    email: user.email,
    password: user.password,
  });
}

describe('sessions', () => {
  it('are listed with the one that asks, and one can be ended', async () => {
    const user = await registerUser(service);
    const second = await logIn(service, user);
    const { body } = await user.api.get<PageOf<{ id: string; current: boolean }>>(`${AUTH}/sessions`);
    expect(body.data.map(({ current }) => current).sort()).toEqual([false, true]);
    const other = body.data.find(({ current }) => !current);

    expect(await user.api.delete(`${AUTH}/sessions/${other?.id ?? ''}`)).toMatchObject({ status: 204 });
    expect(await second.api.get(ME)).toMatchObject({ status: 401 });
    expect(await user.api.get(ME)).toMatchObject({ status: 200 });
  });

  it("answers 404 for another user's session", async () => {
    const [owner, stranger] = [await registerUser(service), await registerUser(service)];
    const { body } = await owner.api.get<PageOf<{ id: string }>>(`${AUTH}/sessions`);
    expect(await stranger.api.delete(`${AUTH}/sessions/${body.data[0]?.id ?? ''}`)).toMatchObject({ status: 404 });
    expect(await owner.api.get(ME)).toMatchObject({ status: 200 });
  });

  it('all end with logout-all', async () => {
    const user = await registerUser(service);
    const second = await logIn(service, user);
    expect(await user.api.post(`${AUTH}/logout-all`)).toMatchObject({ status: 204 });
    for (const { api, tokens } of [user, second]) {
      expect(await api.get(ME)).toMatchObject({ status: 401 });
      const { refreshToken } = tokens;
      expect(await anonymous.post(`${AUTH}/refresh`, { refreshToken })).toMatchObject({ status: 401 });
    }
  });
});

describe('passwords', () => {
  const PASSWORD = 'größe-über-bâteau-ế';

  it.each(['NFC', 'NFD'] as const)('are the same in each form of Unicode, set in %s', async (form) => {
    const user = await registerUser(service, { password: PASSWORD.normalize(form) });
    for (const given of ['NFC', 'NFD'] as const) {
      expect((await login({ ...user, password: PASSWORD.normalize(given) })).status).toBe(200);
    }
    expect((await login({ ...user, password: PASSWORD.normalize('NFKD').replace(/\p{M}/gu, '') })).status).toBe(401);
    const verified = await user.api.delete<Problem>(ME);
    expect(verified.body.code).toBe('STEP_UP_REQUIRED');
    const [currentPassword, newPassword] = [PASSWORD.normalize('NFD'), 'überaus-größer-bâteau'];
    expect((await user.api.post(`${AUTH}/password/change`, { currentPassword, newPassword })).status).toBe(204);
    expect((await login({ ...user, password: newPassword.normalize('NFD') })).status).toBe(200);
  });

  it.each([
    ['NFD', PASSWORD.normalize('NFD')],
    ['a mixed form', PASSWORD.replace('ế', 'ê\u0301')],
  ])('that an earlier release hashed in %s are accepted, and hashed anew in NFC', async (_, stored) => {
    const user = await registerUser(service);
    const accounts = databaseOf(service).collection('accounts');
    const _id = new ObjectId(user.id);
    await accounts.updateOne({ _id }, { $set: { passwordHash: await hash(stored) } });
    expect((await login({ ...user, password: `${stored}!` })).status).toBe(401);
    expect((await login({ ...user, password: stored })).status).toBe(200);
    const account = await accounts.findOne<{ passwordHash: string }>({ _id });
    expect(await verify(account?.passwordHash ?? '', PASSWORD.normalize('NFC'))).toBe(true);
  });

  it('have their length counted in NFC', async () => {
    const short = 'ä-ö-ü-éèç'.normalize('NFD');
    expect([...short].length).toBeGreaterThan(10);
    const refused = await anonymous.post<Problem>(`${AUTH}/register`, newRegistration({ password: short }));
    expect([refused.status, refused.body.errors?.[0]?.field]).toEqual([400, 'password']);
    const long = 'äöüéèçñâêî'.repeat(13).slice(0, 126).normalize('NFD');
    const user = await registerUser(service, { password: `${long}-x` });
    expect((await login({ ...user, password: `${long}-x` })).status).toBe(200);
  });

  it('are reset by a mailed token that works once and ends all sessions', async () => {
    const user = await registerVerifiedUser(service);
    expect(await anonymous.post(`${AUTH}/password/forgot`, { email: user.email })).toMatchObject({ status: 202 });
    const token = tokenIn(await mailTo(user.email, ({ text }) => text.includes('/reset-password#')));
    const reset = { token, password: 'another-horse-battery' };

    expect(await anonymous.post(`${AUTH}/password/reset`, reset)).toMatchObject({ status: 204 });
    expect(await anonymous.post(`${AUTH}/password/reset`, reset)).toMatchObject({
      status: 400,
      body: { code: 'INVALID_TOKEN' },
    });
    expect(await user.api.get(ME)).toMatchObject({ status: 401 });
    expect(await login(user)).toMatchObject({ status: 401 });
    expect(await login({ ...user, password: reset.password })).toMatchObject({ status: 200 });
    await mailTo(user.email, ({ subject }) => subject === 'Your password was changed');
  });

  it('asks for a reset of an unknown address with the same answer, and mails nothing', async () => {
    const email = newEmail();
    expect(await anonymous.post(`${AUTH}/password/forgot`, { email })).toMatchObject({ status: 202, body: undefined });
    const known = await registerUser(service);
    await anonymous.post(`${AUTH}/password/forgot`, { email: known.email });
    await mailTo(known.email, ({ text }) => text.includes('/reset-password#'));
    expect(mailsTo(email)).toEqual([]);
  });

  it('mails at most two resets an hour beside the verification', async () => {
    const user = await registerUser(service);
    for (let asked = 0; asked < 5; asked++) await anonymous.post(`${AUTH}/password/forgot`, { email: user.email });
    const other = await registerUser(service);
    await anonymous.post(`${AUTH}/password/forgot`, { email: other.email });
    await mailTo(other.email, ({ text }) => text.includes('/reset-password#'));
    await waitFor('two mails', () => resetMails(user).length === 2);
    await waitFor('the requests to be handled', async () => {
      const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
      return /work_depth\{queue="password-reset",state="ready"\} 0/.test(metrics);
    });
    expect(resetMails(user)).toHaveLength(2);
  });

  it('are changed with the current one, which ends the other sessions only', async () => {
    const user = await registerUser(service);
    const other = await logIn(service, user);
    const change = { currentPassword: user.password, newPassword: 'another-horse-battery' };
    expect(
      await user.api.post(`${AUTH}/password/change`, { ...change, currentPassword: 'wrong-horse-battery' }),
    ).toMatchObject({ status: 401, body: { code: 'INVALID_CREDENTIALS' } });
    expect(await user.api.post(`${AUTH}/password/change`, change)).toMatchObject({ status: 204 });
    expect(await user.api.get(ME)).toMatchObject({ status: 200 });
    expect(await other.api.get(ME)).toMatchObject({ status: 401 });
  });

  it.each([['password1234'], ['PASSWORD1234']])('refuses the common password %s', async (newPassword) => {
    const user = await registerUser(service);
    const { status, body } = await user.api.post<Problem>(`${AUTH}/password/change`, {
      currentPassword: user.password,
      newPassword,
    });
    expect({ status, field: body.errors?.[0]?.field }).toEqual({ status: 400, field: 'newPassword' });
  });
});

function resetMails({ email }: TestUser) {
  return mailsTo(email).filter(({ text }) => text.includes('/reset-password#'));
}

it('takes an account back from a person who registered it with a foreign address', async () => {
  const hijacker = await registerVerifiedUser(service);
  const { body: mfa } = await hijacker.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, {
    password: hijacker.password,
  });
  await hijacker.api.post(`${AUTH}/mfa/totp/confirm`, { code: codeOf(mfa.secret) });
  const apiKey = await createApiKey(hijacker, ['tasks:read'], { code: codeOf(mfa.secret, 1) });
  const browser = { endpoint: `https://push.example.org/${hijacker.id}`, expirationTime: null, keys: newPushKeys() };
  const subscribed = await hijacker.api.post('/api/v1/notifications/push/subscriptions', browser);
  expect(subscribed).toMatchObject({ status: 201 });
  const [_id, database] = [new ObjectId(hijacker.id), databaseOf(service)];
  const phone = { phone: '+436601234567', phoneVerified: true };
  await waitFor('a phone', async () => {
    return (await database.collection('users').updateOne({ _id }, { $set: phone })).matchedCount === 1;
  });

  // As an earlier release left it, which asked for no proof of the address first.
  for (const collection of ['accounts', 'users', 'contacts']) {
    await database.collection(collection).updateOne({ _id }, { $set: { emailVerified: false } });
  }

  await anonymous.post(`${AUTH}/password/forgot`, { email: hijacker.email });
  const token = tokenIn(await mailTo(hijacker.email, ({ text }) => text.includes('/reset-password#')));
  await anonymous.post(`${AUTH}/password/reset`, { token, password: 'the-owners-password' });

  const owner = await login({ email: hijacker.email, password: 'the-owners-password' });
  expect(owner).toMatchObject({ status: 200, body: { user: { emailVerified: true } } });
  expect(await hijacker.api.get(ME)).toMatchObject({ status: 401 });
  const { refreshToken } = hijacker.tokens;
  expect(await anonymous.post(`${AUTH}/refresh`, { refreshToken })).toMatchObject({ status: 401 });
  expect(await apiKey.api.get('/api/v1/tasks')).toMatchObject({ status: 401 });
  await waitFor('the browser to be told of nothing any more', async () => {
    return (await database.collection('pushsubscriptions').countDocuments({ user: _id })) === 0;
  });
  await waitFor('the phone to be gone', async () => {
    const profile = await database.collection('users').findOne({ _id });
    return profile?.['phoneVerified'] === false && profile['phone'] === null;
  });
  expect(await mailTo(hijacker.email, ({ subject }) => subject.includes('was changed'))).toBeDefined();
});

describe('the email address', () => {
  it('changes once the new one is confirmed, and both addresses get a mail', async () => {
    const user = await registerVerifiedUser(service);
    const newAddress = newEmail();
    const change = { email: newAddress.toUpperCase(), password: user.password };
    expect(await user.api.post(`${AUTH}/email/change`, { ...change, password: 'wrong-horse-battery' })).toMatchObject({
      status: 401,
    });
    expect(await user.api.post(`${AUTH}/email/change`, change)).toMatchObject({ status: 202 });
    expect(await mailTo(user.email, ({ subject }) => subject.includes('about to change'))).toBeDefined();
    expect(await login(user)).toMatchObject({ status: 200 });

    const mail = await mailTo(newAddress);
    expect(mail.text).toContain('move an existing account to this address');
    const token = tokenIn(mail);
    // Who has the mailbox need not have the account.
    expect(await anonymous.post(`${AUTH}/email/verify`, { token })).toMatchObject({ status: 401 });
    expect(await user.api.post(`${AUTH}/email/verify`, { token })).toMatchObject({ status: 204 });
    expect(await login(user)).toMatchObject({ status: 401 });
    expect(await login({ ...user, email: newAddress })).toMatchObject({ status: 200 });
    await waitFor('the profile to follow', async () => {
      const { body } = await user.api.get<{ email: string }>(ME);
      return body.email === newAddress;
    });
    // The old address is free again.
    expect(await registerUser(service, { email: user.email })).toBeDefined();
  });

  it('is refused where another account has it', async () => {
    const [user, other] = [await registerUser(service), await registerUser(service)];
    const change = { email: other.email, password: user.password };
    expect(await user.api.post(`${AUTH}/email/change`, change)).toMatchObject({
      status: 409,
      body: { code: 'EMAIL_TAKEN' },
    });
  });
});

describe('the lock', () => {
  it.each([['known'], ['unknown']])(
    'closes after ten failures for a %s address, and a reset lifts it',
    async (which) => {
      const user = which === 'known' ? await registerUser(service) : undefined;
      const email = user?.email ?? newEmail();
      for (let failure = 0; failure < 10; failure++) {
        expect(await login({ email, password: 'wrong-horse-battery' })).toMatchObject({ status: 401 });
      }
      const locked = await login({ email, password: user?.password ?? 'correct-horse-battery' });
      expect(locked).toMatchObject({ status: 423, body: { code: 'ACCOUNT_LOCKED' } });
      expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
      if (!user) return;
      expect(await user.api.get(ME)).toMatchObject({ status: 200 });

      await anonymous.post(`${AUTH}/password/forgot`, { email });
      const token = tokenIn(await mailTo(email, ({ text }) => text.includes('/reset-password#')));
      await anonymous.post(`${AUTH}/password/reset`, { token, password: 'another-horse-battery' });
      expect(await login({ email, password: 'another-horse-battery' })).toMatchObject({ status: 200 });
    },
  );

  it('forgets failures once the right password was given', async () => {
    const user = await registerUser(service);
    for (let round = 0; round < 2; round++) {
      for (let failure = 0; failure < 9; failure++) await login({ ...user, password: 'wrong-horse-battery' });
      expect(await login(user)).toMatchObject({ status: 200 });
    }
  });
});

describe('the second factor', () => {
  async function withMfa() {
    const user = await registerVerifiedUser(service);
    const begun = await user.api.post<{ secret: string; otpauthUrl: string; qrSvg: string }>(`${AUTH}/mfa/totp`, {
      password: user.password,
    });
    expect(begun).toMatchObject({ status: 201 });
    const { secret, otpauthUrl, qrSvg } = begun.body;
    expect(otpauthUrl).toContain(`secret=${secret}`);
    expect(qrSvg).toMatch(/^<svg/);
    const confirmed = await user.api.post<{ recoveryCodes: string[] }>(`${AUTH}/mfa/totp/confirm`, {
      code: codeOf(secret),
    });
    expect(confirmed).toMatchObject({ status: 200 });
    await allowCodeAgain(service, user);
    expect(new Set(confirmed.body.recoveryCodes).size).toBe(10);
    return { user, secret, recoveryCodes: confirmed.body.recoveryCodes };
  }

  function secondStep(mfaToken: string, code: string) {
    return anonymous.post<Problem>(`${AUTH}/login/mfa`, { mfaToken, code });
  }

  it('is asked for at the log-in, and a code works once', async () => {
    const { user, secret } = await withMfa();
    const first = await login(user);
    expect(first).toMatchObject({ status: 401, body: { code: 'MFA_REQUIRED' } });
    const code = codeOf(secret);
    expect(await secondStep(first.body.mfaToken, '000000')).toMatchObject({ status: 401 });
    expect(await secondStep(first.body.mfaToken, code)).toMatchObject({ status: 200 });
    // Neither the token nor the code works again.
    expect(await secondStep(first.body.mfaToken, codeOf(secret, 1))).toMatchObject({ status: 401 });
    const again = await login(user);
    expect(await secondStep(again.body.mfaToken, code)).toMatchObject({
      status: 401,
      body: { code: 'INVALID_CREDENTIALS' },
    });
  });

  it('takes a recovery code in its place, once', async () => {
    const { user, recoveryCodes } = await withMfa();
    const [code = ''] = recoveryCodes;
    const first = await login(user);
    expect(await secondStep(first.body.mfaToken, code.toLowerCase())).toMatchObject({ status: 200 });
    const again = await login(user);
    expect(await secondStep(again.body.mfaToken, code)).toMatchObject({ status: 401 });
  });

  it('gives a log-in five tries, parallel ones included', async () => {
    const { user, secret } = await withMfa();
    const { body } = await login(user);
    await Promise.all(Array.from({ length: 5 }, () => secondStep(body.mfaToken, '000000')));
    expect(await secondStep(body.mfaToken, codeOf(secret))).toMatchObject({ status: 401 });
  });

  it('takes a code once, also when it comes twice at the same moment', async () => {
    const { user, secret } = await withMfa();
    const { body } = await login(user);
    const answers = await Promise.all([1, 2].map(() => secondStep(body.mfaToken, codeOf(secret))));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
  });

  it('counts its failures towards the lock', async () => {
    const { user } = await withMfa();
    for (let round = 0; round < 2; round++) {
      const { body } = await login(user);
      for (let failure = 0; failure < 5; failure++) await secondStep(body.mfaToken, '000000');
    }
    expect(await login(user)).toMatchObject({ status: 423 });
  });

  it('is turned off with the password and a code, which may contain spaces', async () => {
    const { user, secret } = await withMfa();
    const off = (proof: object) => user.api.send<Problem>('DELETE', `${AUTH}/mfa/totp`, proof);
    const missing = { status: 403, body: { code: 'STEP_UP_REQUIRED', methods: ['password', 'code'] } };
    const { password } = user;
    const code = codeOf(secret);
    for (const proof of [{}, { password }, { code }]) expect(await off(proof)).toMatchObject(missing);
    expect(await off({ password, code: '000000' })).toMatchObject({ status: 401 });
    expect(await user.api.post(`${AUTH}/mfa/totp`, { password, code })).toMatchObject({ status: 403 });
    // That used the code up.
    expect(await off({ password, code })).toMatchObject({ status: 401 });
    const next = codeOf(secret, 1);
    expect(await off({ password, code: `${next.slice(0, 3)} ${next.slice(3)}` })).toMatchObject({ status: 204 });
    expect(await login(user)).toMatchObject({ status: 200 });
  });

  it("can't be another account's, whose secret was copied in the database", async () => {
    const [owner, thief] = [await withMfa(), await withMfa()];
    const accounts = databaseOf(service).collection<{ _id: ObjectId; mfa: { secret: string } }>('accounts');
    const mfaOf = async ({ id }: TestUser) => (await accounts.findOne({ _id: new ObjectId(id) }))?.mfa;
    const copied = (await mfaOf(owner.user))?.secret ?? '';
    expect(copied).toMatch(/^v2\./);
    await accounts.updateOne({ _id: new ObjectId(thief.user.id) }, { $set: { 'mfa.secret': copied } });
    const { body } = await login(thief.user);
    for (const secret of [owner.secret, thief.secret]) {
      const answer = await secondStep(body.mfaToken, codeOf(secret));
      expect(answer).toMatchObject({ status: 500, body: { code: 'INTERNAL' } });
      expect(answer.body.detail).toContain('recovery code');
    }
    expect(service.logs()).toContain(`mfa.secret of account ${thief.user.id} can't be decrypted`);
    for (const secret of [copied, owner.secret, thief.secret]) expect(service.logs()).not.toContain(secret);
    // The owner of the account is not locked out.
    expect(await secondStep(body.mfaToken, thief.recoveryCodes[0] ?? '')).toMatchObject({ status: 200 });
  });

  it('has an mfaToken that is good for nothing else', async () => {
    const { user } = await withMfa();
    const { body } = await login(user);
    for (const path of ['email/verify', 'password/reset']) {
      const answer = await anonymous.post(`${AUTH}/${path}`, {
        token: body.mfaToken,
        ...(path === 'password/reset' ? { password: 'another-horse-battery' } : {}),
      });
      expect(answer).toMatchObject({ status: 400, body: { code: 'INVALID_TOKEN' } });
    }
    expect(await new ApiClient(service, body.mfaToken).get(ME)).toMatchObject({ status: 401 });
  });
});

describe('API keys', () => {
  it('do what their scopes allow, and writing includes reading', async () => {
    const user = await registerVerifiedUser(service);
    const reader = await createApiKey(user, ['tasks:read']);
    const writer = await createApiKey(user, ['tasks:write']);
    expect(await reader.api.get('/api/v1/tasks')).toMatchObject({ status: 200 });
    expect(await reader.api.post('/api/v1/tasks', { title: 'x' })).toMatchObject({ status: 403 });
    expect(await writer.api.post('/api/v1/tasks', { title: 'x' })).toMatchObject({ status: 201 });
    expect(await writer.api.get('/api/v1/tasks')).toMatchObject({ status: 200 });
    expect(await writer.api.get('/api/v1/notifications')).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
  });

  it('never reach /auth nor the deletion of the account', async () => {
    const user = await registerVerifiedUser(service);
    const { api } = await createApiKey(user, ['users:write', 'tasks:write', 'notifications:write']);
    expect(await api.get(`${AUTH}/sessions`)).toMatchObject({ status: 403 });
    expect(await api.post(`${AUTH}/api-keys`, { name: 'more', scopes: ['tasks:read'] })).toMatchObject({ status: 403 });
    expect(await api.send('DELETE', ME, { password: user.password })).toMatchObject({ status: 403 });
    expect(await api.get(ME)).toMatchObject({ status: 200 });
  });

  it('never reach the export, which holds what other scopes guard', async () => {
    const user = await registerVerifiedUser(service);
    const { api } = await createApiKey(user, ['users:write']);
    expect(await api.get(`${ME}/export`)).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    expect(await user.api.get(`${ME}/export`)).toMatchObject({ status: 200 });
  });

  it('are listed without the key, with their last use, and stop when removed', async () => {
    const user = await registerVerifiedUser(service);
    const { id, api, key } = await createApiKey(user, ['tasks:read']);
    await api.get('/api/v1/tasks');
    const listed = await waitFor('the use to be recorded', async () => {
      const { body } = await user.api.get<PageOf<{ id: string; lastUsedAt: string | null }>>(`${AUTH}/api-keys`);
      return body.data[0]?.lastUsedAt ? body : undefined;
    });
    expect(listed.data).toMatchObject([{ id, name: 'report', scopes: ['tasks:read'] }]);
    expect(JSON.stringify(listed)).not.toContain(key);
    expect(await user.api.delete(`${AUTH}/api-keys/${id}`)).toMatchObject({ status: 204 });
    expect(await api.get('/api/v1/tasks')).toMatchObject({ status: 401 });
  });

  it('are made of the account as it is, not of the token that asks', async () => {
    const admin = await createAdmin(service);
    const _id = new ObjectId(admin.id);
    await databaseOf(service)
      .collection('accounts')
      .updateOne({ _id }, { $set: { role: 'user' } });
    const { api } = await createApiKey(admin, ['users:read']);
    expect(await api.get('/api/v1/users')).toMatchObject({ status: 403 });
  });

  it('are not made for a session that has just ended, however fresh the token', async () => {
    const user = await registerVerifiedUser(service);
    await databaseOf(service)
      .collection('sessions')
      .deleteMany({ user: new ObjectId(user.id) });
    const answer = await user.api.post(`${AUTH}/api-keys`, {
      name: 'late',
      scopes: ['tasks:read'],
      password: user.password,
    });
    expect(answer).toMatchObject({ status: 401 });
  });

  it('must expire in the future, and expire', async () => {
    const user = await registerVerifiedUser(service);
    const { password } = user;
    const past = { name: 'x', scopes: ['tasks:read'], password, expiresAt: '2020-01-01T00:00:00.000Z' };
    expect(await user.api.post<Problem>(`${AUTH}/api-keys`, past)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'expiresAt' }] },
    });
    const { api } = await createApiKey(user, ['tasks:read'], {
      expiresAt: new Date(Date.now() + 1000).toISOString(),
    });
    await waitFor('the key to expire', async () => (await api.get('/api/v1/tasks')).status === 401);
  });
});

describe('a password asked for again', () => {
  it('can be guessed no more often than a log-in, with a stolen session and from however many addresses', async () => {
    const user = await registerUser(service);
    const change = (currentPassword: string) =>
      user.api.post<Problem>(`${AUTH}/password/change`, { currentPassword, newPassword: 'another-horse-battery' });
    for (let guess = 0; guess < 10; guess++)
      expect(await change(`wrong-horse-${guess}`)).toMatchObject({ status: 401 });
    const refused = await change(user.password);
    expect(refused).toMatchObject({ status: 429, body: { code: 'RATE_LIMITED' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    // A log-in isn't kept from its owner by that.
    expect(await login(user)).toMatchObject({ status: 200 });
  });
});

describe('roles', () => {
  it('change at once, for access tokens and API keys', async () => {
    const [admin, user] = [await createAdmin(service), await registerUser(service)];
    await user.api.get(ME);
    expect(await setRole(admin, user, 'manager')).toMatchObject({
      status: 200,
      body: { role: 'manager' },
    });
    await waitFor('the old token to end', async () => (await user.api.get(ME)).status === 401);
    const { refreshToken } = user.tokens;
    const { status, body } = await anonymous.post<Tokens>(`${AUTH}/refresh`, { refreshToken });
    expect(status).toBe(200);
    expect(await new ApiClient(service, body.accessToken).get('/api/v1/users')).toMatchObject({ status: 200 });
  });

  it('give a token that is good from its first use, although this process has not heard of the decision', async () => {
    const { id, tokens } = await registerUser(service);
    // As another process commits it: tokens of this and the next second don't count.
    const validFrom = (Math.floor(Date.now() / 1000) + 2) * 1000;
    await databaseOf(service)
      .collection<{ _id: string }>('revocations')
      .insertOne({
        _id: `user:${id}`,
        ...{ kind: 'user', subject: id, at: new Date(validFrom), recordedAt: new Date() },
      });
    const { refreshToken } = tokens;
    const { status, body } = await anonymous.post<Tokens>(`${AUTH}/refresh`, { refreshToken });
    expect(status).toBe(200);
    const payload = Buffer.from(body.accessToken.split('.')[1] as string, 'base64url').toString();
    expect((JSON.parse(payload) as { iat: number }).iat * 1000).toBeGreaterThanOrEqual(validFrom);
    expect((await new ApiClient(service, body.accessToken).get(ME)).status).toBe(200);
  });

  it('leave no service without an administrator', async () => {
    const lonely = await startService();
    const first = await createAdmin(lonely);
    await first.api.get(ME);
    expect(await setRole(first, first, 'user')).toMatchObject({
      status: 409,
      body: { code: 'LAST_ADMIN' },
    });
    expect(await deleteUser(first, first)).toMatchObject({ status: 409 });
    expect(await first.api.send('DELETE', ME, { password: first.password })).toMatchObject({ status: 409 });

    const second = await createAdmin(lonely);
    await second.api.get(ME);
    const answers = await Promise.all([setRole(first, second, 'user'), setRole(second, first, 'user')]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    await lonely.stop();
  });
});

/** What may say that there was such a user, without saying who it was. */
const PSEUDONYMOUS = ['tombstones', 'auditentries', 'revocations'];

/** The collections whose documents still tell of a person. */
async function tracesOf({ id, email }: TestUser): Promise<string[]> {
  const client = new MongoClient(service.mongodbUri);
  try {
    const db = client.db();
    const names = (await db.listCollections().toArray()).map(({ name }) => name);
    const telling = names.map(async (name) => {
      const text = JSON.stringify(await db.collection(name).find().toArray());
      return text.includes(email) || (text.includes(id) && !PSEUDONYMOUS.includes(name)) ? [name] : [];
    });
    return (await Promise.all(telling)).flat();
  } finally {
    await client.close();
  }
}

describe('deletion', () => {
  it('erases the person in every module, and the address is free again', async () => {
    const user = await registerVerifiedUser(service);
    const { body: task } = await user.api.post<{ id: string }>('/api/v1/tasks', { title: 'private matter' });
    await user.api.patch(`/api/v1/tasks/${task.id}`, { status: 'done' });
    await waitFor('the notification', async () => {
      const { body } = await user.api.get<PageOf<unknown>>('/api/v1/notifications');
      return body.data.length > 0;
    });
    const { body: exported } = await user.api.get<{ data: Record<string, object> }>(`${ME}/export`);
    const parts = Object.entries(exported.data).map(([name, part]) => [name, Object.keys(part)]);
    const stated = MANIFESTS.flatMap(({ name, personalData }) => (personalData ? [[name, personalData.exports]] : []));
    expect(parts).toEqual(stated);
    expect(JSON.stringify(exported.data['tasks'])).toContain('private matter');
    expect(JSON.stringify(exported)).not.toMatch(/passwordHash|secret|seed/i);

    const erased = MANIFESTS.flatMap(({ personalData }) => personalData?.erases ?? []);
    const owned = MANIFESTS.flatMap(({ collections }) => Object.keys(collections));
    const telling = (await tracesOf(user)).filter((name) => owned.includes(name));
    expect([...new Set([...erased, ...telling])].sort()).toEqual([...erased].sort());

    expect(await user.api.send('DELETE', ME, { password: 'wrong-horse-battery' })).toMatchObject({ status: 401 });
    expect(await user.api.send('DELETE', ME, { password: user.password })).toMatchObject({ status: 204 });
    expect(await user.api.get(ME)).toMatchObject({ status: 401 });
    await waitFor('every trace to be gone', async () => {
      const traces = await tracesOf(user);
      return traces.length === 0;
    });
    await registerUser(service, { email: user.email });
  });

  it('finds what was in progress while the data were erased', async () => {
    const user = await registerUser(service);
    expect(await user.api.send('DELETE', ME, { password: user.password })).toMatchObject({ status: 204 });
    const [_id, database] = [new ObjectId(user.id), databaseOf(service)];
    const marks = database.collection('tombstones');
    await waitFor('every trace to be gone', async () => (await tracesOf(user)).length === 0);
    // What a request that saw no mark yet commits; and then the time for a second look has come.
    for (const name of ['tasks', 'notifications', 'deliveries']) {
      await database.collection(name).insertOne({ user: _id, title: `of ${user.id}` });
    }
    await marks.updateOne({ _id }, { $set: { eraseAgainAt: new Date(0) } });
    await database.collection('recurringjobs').updateMany({}, { $set: { availableAt: new Date(0) } });
    await waitFor('the second look', async () => !(await marks.findOne({ _id }))?.['eraseAgainAt']);
    // It leaves work behind: files are removed after their entries.
    await waitFor('every trace to be gone again', async () => (await tracesOf(user)).length === 0);
  });

  it('by an administrator ends the sessions too', async () => {
    const [admin, user] = [await createAdmin(service), await registerUser(service)];
    await user.api.get(ME);
    expect(await deleteUser(admin, user)).toMatchObject({ status: 204 });
    // The profile is gone at once; of the session, other modules hear.
    expect(await user.api.get(ME)).toMatchObject({ status: 401 });
    await waitFor('the session to end', async () => (await user.api.get('/api/v1/tasks/stats')).status === 401);
    expect(await login(user)).toMatchObject({ status: 401 });
    expect(await admin.api.get(`/api/v1/users/${user.id}`)).toMatchObject({ status: 404 });
  });
});

describe('the audit trail', () => {
  it('tells an administrator who did what, when and from where', async () => {
    const [admin, user] = [await createAdmin(service), await registerUser(service)];
    await login({ ...user, password: 'wrong-horse-battery' });
    await logIn(service, user);
    const path = `${AUTH}/audit?actorId=${user.id}`;
    const { body } = await admin.api.get<PageOf<{ event: string; ip: string; at: string }>>(path);
    expect(body.data.map(({ event }) => event)).toEqual(['login.succeeded', 'account.registered']);
    expect(body.data[0]).toMatchObject({ ip: '127.0.0.1' });
    const failed = await admin.api.get<PageOf<{ details: object }>>(`${AUTH}/audit?event=login.failed&limit=1`);
    expect(failed.body.data).toMatchObject([{ actorId: null, details: { userId: user.id } }]);
    expect(await user.api.get(path)).toMatchObject({ status: 403 });
  });

  it('has exports and refusals by role and scope, with address, agent and API key, and few of a flood', async () => {
    const [admin, user] = [await createAdmin(service), await registerVerifiedUser(service)];
    const key = await createApiKey(user, ['tasks:read']);
    const route = `${AUTH}/audit`;
    const agent = { 'User-Agent': 'auditor/1' };
    expect(await key.api.post('/api/v1/tasks', { title: 'Not with this key' }, agent)).toMatchObject({ status: 403 });
    for (let nth = 0; nth < AUDITED_PER_HOUR + 2; nth++) {
      expect(await user.api.get(`${ME}/export`, agent)).toMatchObject({ status: 200 });
    }
    for (let nth = 0; nth < 2 * AUDITED_PER_HOUR; nth++) {
      expect(await user.api.get(route, agent)).toMatchObject({ status: 403 });
    }

    const entries = async (event: string) => {
      const path = `${route}?actorId=${user.id}&event=${event}&limit=100`;
      return (await admin.api.get<PageOf<object>>(path)).body.data;
    };
    const where = { ip: '127.0.0.1', userAgent: 'auditor/1' };
    const exported = await waitFor('the exports', async () => {
      const found = await entries('data.export-requested');
      return found.length >= AUDITED_PER_HOUR && found;
    });
    expect(exported).toHaveLength(AUDITED_PER_HOUR);
    expect(exported[0]).toMatchObject({ actorId: user.id, apiKeyId: null, ...where });
    const refused = await waitFor('the refusals', async () => {
      const found = await entries('access.refused');
      return found.length >= AUDITED_PER_HOUR && found;
    });
    expect(refused).toHaveLength(AUDITED_PER_HOUR);
    const byScope = { method: 'POST', route: '/api/v1/tasks', needs: 'scope of tasks' };
    expect(refused).toContainEqual(expect.objectContaining({ apiKeyId: key.id, ...where, details: byScope }));
    const byRole = { method: 'GET', route, needs: 'role admin' };
    expect(refused).toContainEqual(expect.objectContaining({ apiKeyId: null, ...where, details: byRole }));
  });

  it('keeps what an erased person did to whom, and forgets where they, or who tried to be they, were', async () => {
    const [gone, other] = [await createAdmin(service), await registerUser(service)];
    await createAdmin(service); // one has to stay
    await login({ ...gone, password: 'wrong-horse-battery' });
    const role = () => setRole(gone, other, 'manager');
    await waitFor('the profile', async () => (await role()).status === 200);
    const entries = () =>
      databaseOf(service)
        .collection<{ event: string; ip: string | null; userAgent: string | null; details: { userId?: string } }>(
          'auditentries',
        )
        .find({ $or: [{ actor: new ObjectId(gone.id) }, { 'details.userId': gone.id }] })
        .toArray();
    await waitFor('the change to be noted', async () =>
      (await entries()).some(({ event }) => event === 'role.changed'),
    );
    expect((await entries()).some(({ event, ip }) => event === 'login.failed' && ip !== null)).toBe(true);
    expect(await gone.api.send('DELETE', ME, { password: gone.password })).toMatchObject({ status: 204 });
    const kept = await entries();
    expect(kept.filter(({ ip, userAgent }) => ip !== null || userAgent !== null)).toEqual([]);
    expect(kept.find(({ event }) => event === 'role.changed')?.details).toMatchObject({ userId: other.id });
  });

  it('pages without repeating an entry', async () => {
    const admin = await createAdmin(service);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `${AUTH}/audit?limit=7${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`;
      const { body } = await admin.api.get<PageOf<{ id: string }>>(path);
      seen.push(...body.data.map(({ id }) => id));
      cursor = body.page.nextCursor;
    } while (cursor && seen.length < 100);
    expect(new Set(seen).size).toBe(seen.length);
  });
});

it('writes mails in the language of the user', async () => {
  const user = await registerVerifiedUser(service);
  await user.api.patch(ME, { locale: 'de-AT' });
  await waitFor('a German mail', async () => {
    await logIn(service, user);
    return mailsTo(user.email).find(({ subject }) => subject.startsWith('Neue Anmeldung'));
  });
});
