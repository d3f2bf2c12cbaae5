import { ApiClient, type Problem } from '../support/api-client.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { allowCodeAgain, codeOf } from '../support/totp.js';
import { newEmail, registerUser, type Tokens, type TestUser, verifyAddress } from '../support/users.js';

const AUTH = '/api/v1/auth';
const WRONG = 'wrong-horse-battery';
const NETWORK_FAILURES = 10;
const ACCOUNT_FAILURES = 15;

let service: TestService;
let anonymous: ApiClient;
let lastNetwork = 0;
beforeAll(async () => {
  service = await startService({ TRUST_PROXY: '1', LOGIN_ADDRESS_FAILURES: String(ACCOUNT_FAILURES) });
  anonymous = new ApiClient(service);
});

/** An address that no other test uses. */
function newAddress(): string {
  lastNetwork += 1;
  return `198.18.${lastNetwork >> 8}.${lastNetwork & 255}`;
}

interface Attempt {
  email: string;
  password: string;
  deviceToken?: string;
}

function logInFrom(address: string, { email, password, deviceToken }: Attempt) {
  return anonymous.post<Tokens & Problem & { mfaToken: string }>(
    `${AUTH}/login`,
    { email, password, ...(deviceToken && { deviceToken }) },
    { 'X-Forwarded-For': address },
  );
}

async function fail(times: number, attempt: Omit<Attempt, 'password'>, addressOf: (number: number) => string) {
  for (let failure = 0; failure < times; failure++) {
    const { status } = await logInFrom(addressOf(failure), { ...attempt, password: WRONG });
    expect(status).toBe(401);
  }
}

/** Failures from so many networks that the account is locked for all of them. */
async function lockForAll(email: string): Promise<void> {
  await fail(ACCOUNT_FAILURES, { email }, newAddress);
  expect((await logInFrom(newAddress(), { email, password: WRONG })).status).toBe(423);
}

async function resetPassword({ email }: TestUser, password: string): Promise<void> {
  await anonymous.post(`${AUTH}/password/forgot`, { email });
  const token = tokenIn(await mailTo(email, ({ text }) => text.includes('/reset-password#')));
  expect((await anonymous.post(`${AUTH}/password/reset`, { token, password })).status).toBe(204);
}

describe('an account whose password an attacker guesses', () => {
  it.each([['known'], ['unknown']])('is locked for their network only (%s address)', async (which) => {
    const user = which === 'known' ? await registerUser(service) : { email: newEmail(), password: WRONG };
    const address = newAddress();
    await fail(NETWORK_FAILURES, user, () => address);
    const locked = await logInFrom(address, user);
    expect(locked).toMatchObject({ status: 423, body: { code: 'ACCOUNT_LOCKED' } });
    expect(Number(locked.headers.get('retry-after'))).toBeGreaterThan(0);
    expect((await logInFrom(newAddress(), user)).status).toBe(which === 'known' ? 200 : 401);
    // Its owner's log-in elsewhere gives the network no new attempts.
    expect((await logInFrom(address, user)).status).toBe(423);
  });

  it('is locked for an IPv6 /56, and not for the next one', async () => {
    const user = await registerUser(service);
    await fail(NETWORK_FAILURES, user, (number) => `[2001:db8:5:${number}::1]:${number}`);
    expect((await logInFrom('2001:db8:5:ff::1', user)).status).toBe(423);
    expect((await logInFrom('2001:db8:5:100::1', user)).status).toBe(200);
  });

  it('is locked for all networks after many more failures; its sessions continue', async () => {
    const user = await registerUser(service);
    await lockForAll(user.email);
    expect((await logInFrom(newAddress(), user)).status).toBe(423);
    expect((await user.api.get('/api/v1/tasks')).status).toBe(200);
    const { refreshToken } = user.tokens;
    expect((await anonymous.post(`${AUTH}/refresh`, { refreshToken })).status).toBe(200);
  });

  it('is unlocked for all by a password reset', async () => {
    const user = await registerUser(service);
    const address = newAddress();
    await fail(NETWORK_FAILURES, user, () => address);
    await fail(ACCOUNT_FAILURES - NETWORK_FAILURES, user, newAddress);
    expect((await logInFrom(newAddress(), user)).status).toBe(423);
    const password = 'another-horse-battery';
    await resetPassword(user, password);
    expect((await logInFrom(newAddress(), { ...user, password })).status).toBe(200);
    expect((await logInFrom(address, { ...user, password })).status).toBe(200);
  });

  it('counts nothing where the attempt is not decided', async () => {
    const user = await registerUser(service);
    const address = newAddress();
    await withMfa(user);
    for (let round = 0; round < NETWORK_FAILURES + 1; round++) {
      expect((await logInFrom(address, user)).body.code).toBe('MFA_REQUIRED');
    }
  });
});

describe('a device that has logged in before', () => {
  it('gets in while the account is locked; its own failures lock it, and no other', async () => {
    const user = await registerUser(service);
    const { deviceToken } = user.tokens;
    const { body: elsewhere } = await logInFrom(newAddress(), user);
    const address = newAddress();
    await fail(NETWORK_FAILURES, user, () => address);
    await fail(ACCOUNT_FAILURES - NETWORK_FAILURES, user, newAddress);
    expect((await logInFrom(address, { ...user, deviceToken })).status).toBe(200);

    await fail(NETWORK_FAILURES, { ...user, deviceToken }, newAddress);
    expect((await logInFrom(newAddress(), { ...user, deviceToken })).status).toBe(423);
    expect((await logInFrom(address, { ...user, deviceToken: elsewhere.deviceToken })).status).toBe(200);
  });

  it('is not recognised by a token of another account, of another device or of nobody', async () => {
    const [user, other] = [await registerUser(service), await registerUser(service)];
    await lockForAll(user.email);
    const { deviceToken } = user.tokens;
    const forged = deviceToken.replace(/^.{24}/, other.id);
    for (const token of [other.tokens.deviceToken, forged, `${deviceToken}A`, 'nonsense']) {
      expect((await logInFrom(newAddress(), { ...user, deviceToken: token })).status).toBe(423);
    }
    expect((await logInFrom(newAddress(), { ...user, deviceToken })).status).toBe(200);
  });

  it.each([['reset'], ['change']])('is forgotten at a %s of the password', async (how) => {
    const user = await registerUser(service);
    const { deviceToken } = user.tokens;
    const password = 'another-horse-battery';
    if (how === 'reset') await resetPassword(user, password);
    else {
      const change = { currentPassword: user.password, newPassword: password };
      expect((await user.api.post(`${AUTH}/password/change`, change)).status).toBe(204);
    }
    const { body: renewed } = await logInFrom(newAddress(), { ...user, password });
    await lockForAll(user.email);
    expect((await logInFrom(newAddress(), { ...user, password, deviceToken })).status).toBe(423);
    const known = { ...user, password, deviceToken: renewed.deviceToken };
    expect((await logInFrom(newAddress(), known)).status).toBe(200);
  });

  it('takes the second step of a log-in while the account is locked, and is counted there too', async () => {
    const user = await registerUser(service);
    const secret = await withMfa(user);
    const { deviceToken } = user.tokens;
    await lockForAll(user.email);
    const secondStep = (mfaToken: string, code: string) =>
      anonymous.post(`${AUTH}/login/mfa`, { mfaToken, code }, { 'X-Forwarded-For': newAddress() });

    const { body } = await logInFrom(newAddress(), { ...user, deviceToken });
    expect((await secondStep(body.mfaToken, codeOf(secret))).status).toBe(200);
    for (let round = 0; round < 2; round++) {
      const again = await logInFrom(newAddress(), { ...user, deviceToken });
      for (let failure = 0; failure < NETWORK_FAILURES / 2; failure++) {
        expect((await secondStep(again.body.mfaToken, '000000')).status).toBe(401);
      }
    }
    expect((await logInFrom(newAddress(), { ...user, deviceToken })).status).toBe(423);
  });

  it('is issued a token with every log-in and refresh', async () => {
    const user = await registerUser(service);
    const { refreshToken } = user.tokens;
    const refreshed = await anonymous.post<Tokens>(`${AUTH}/refresh`, { refreshToken });
    await lockForAll(user.email);
    const { deviceToken } = refreshed.body;
    expect((await logInFrom(newAddress(), { ...user, deviceToken })).status).toBe(200);
  });
});

/** @returns the secret of the second factor */
async function withMfa(user: TestUser): Promise<string> {
  await verifyAddress(user);
  const { api, password } = user;
  const begun = await api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password });
  const { secret } = begun.body;
  expect((await api.post(`${AUTH}/mfa/totp/confirm`, { code: codeOf(secret) })).status).toBe(200);
  await allowCodeAgain(service, user);
  return secret;
}
