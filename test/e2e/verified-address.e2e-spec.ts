import { ObjectId } from 'mongodb';
import webPush from 'web-push';
import { ApiClient, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailsTo, mailTo, tokenIn } from '../support/mail.js';
import { newPushKeys } from '../support/push.js';
import { startService, type TestService } from '../support/service.js';
import { createAdmin, registerUser, registerVerifiedUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const VERIFY = `${AUTH}/email/verify`;
const ME = '/api/v1/users/me';
const SUBSCRIPTIONS = '/api/v1/notifications/push/subscriptions';
const WRONG = 'wrong-horse-battery';

let service: TestService;
let anonymous: ApiClient;
beforeAll(async () => {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  service = await startService({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey });
  anonymous = new ApiClient(service);
});

const tokenFor = async ({ email }: TestUser) => tokenIn(await mailTo(email));
const subscription = ({ id }: TestUser) => ({ endpoint: `https://push.example.org/${id}`, keys: newPushKeys() });

describe('a link that confirms an address', () => {
  it('counts within a session of its account or with its password, and is not used up by refusals', async () => {
    const [user, other] = [await registerUser(service), await registerUser(service)];
    const token = await tokenFor(user);
    const refusals: [ApiClient, object, number, string][] = [
      [anonymous, { token }, 401, 'UNAUTHENTICATED'],
      [anonymous, { token, password: WRONG }, 401, 'INVALID_CREDENTIALS'],
      [anonymous, { token, password: other.password.concat('!') }, 401, 'INVALID_CREDENTIALS'],
      [other.api, { token }, 400, 'INVALID_TOKEN'],
    ];
    for (const [client, body, status, code] of refusals) {
      expect(await client.post<Problem>(VERIFY, body)).toMatchObject({ status, body: { code } });
    }
    expect(await anonymous.post(VERIFY, { token, password: user.password })).toMatchObject({ status: 204 });
    expect(await anonymous.post(VERIFY, { token, password: user.password })).toMatchObject({ status: 400 });
    expect(await other.api.post(VERIFY, { token: await tokenFor(other) })).toMatchObject({ status: 204 });
  });

  it('takes ten wrong passwords in a quarter of an hour', async () => {
    const user = await registerUser(service);
    const token = await tokenFor(user);
    for (let guess = 0; guess < 10; guess++) {
      expect(await anonymous.post(VERIFY, { token, password: WRONG })).toMatchObject({ status: 401 });
    }
    expect(await anonymous.post(VERIFY, { token, password: user.password })).toMatchObject({ status: 429 });
    expect(await user.api.post(VERIFY, { token })).toMatchObject({ status: 204 });
  });
});

describe('before the address is verified', () => {
  const GATED: [string, number, (user: TestUser) => Promise<{ status: number; body: unknown }>][] = [
    ['a second factor', 201, ({ api, password }) => api.post(`${AUTH}/mfa/totp`, { password })],
    [
      'an API key',
      201,
      ({ api, password }) => api.post(`${AUTH}/api-keys`, { name: 'x', scopes: ['notifications:read'], password }),
    ],
    ['a code to a phone', 202, ({ api }) => api.post(`${ME}/phone/send-code`)],
    ['a browser', 201, (user) => user.api.post(SUBSCRIPTIONS, subscription(user))],
  ];

  it.each(GATED)('%s is refused, and accepted right afterwards', async (_, success, send) => {
    const user = await registerUser(service);
    expect(await user.api.patch(ME, { phone: '+436601234567' })).toMatchObject({ status: 200 });
    expect(await send(user)).toMatchObject({ status: 403, body: { code: 'EMAIL_UNVERIFIED' } });
    const token = await tokenFor(user);
    expect(await user.api.post(VERIFY, { token })).toMatchObject({ status: 204 });
    expect(await send(user)).toMatchObject({ status: success });
  });

  it('what an earlier release let in can be seen and removed', async () => {
    const user = await registerVerifiedUser(service);
    const { body } = await user.api.post<{ id: string }>(SUBSCRIPTIONS, subscription(user));
    const unverified = { $set: { emailVerified: false } };
    for (const name of ['accounts', 'users', 'contacts']) {
      await databaseOf(service)
        .collection(name)
        .updateOne({ _id: new ObjectId(user.id) }, unverified);
    }
    expect(await user.api.get(`${AUTH}/api-keys`)).toMatchObject({ status: 200 });
    expect(await user.api.delete(`${SUBSCRIPTIONS}/${body.id}`)).toMatchObject({ status: 204 });
    const { password } = user;
    expect(await user.api.send('DELETE', `${AUTH}/mfa/totp`, { password })).toMatchObject({ status: 204 });
  });

  it('accounts of the command line need not be verified', async () => {
    const admin = await createAdmin(service);
    for (const [, success, send] of GATED.slice(0, 2)) expect(await send(admin)).toMatchObject({ status: success });
    expect(await GATED[3]![2](admin)).toMatchObject({ status: 201 });
  });
});

describe('a reset of a verified account', () => {
  it('keeps what is set up, and its mail lists that with dates', async () => {
    const user = await registerVerifiedUser(service);
    expect(await user.api.post(SUBSCRIPTIONS, subscription(user))).toMatchObject({ status: 201 });
    const database = databaseOf(service);
    const _id = new ObjectId(user.id);
    const since = new Date('2026-01-31T09:30:00.000Z');
    const phone = { verifiedPhone: '+436601234567', phoneVerifiedAt: since };
    await database.collection('contacts').updateOne({ _id }, { $set: phone });
    const mfa = { secret: 'sealed', lastStep: 0, recoveryCodes: [], enabledAt: since };
    await database.collection('accounts').updateOne({ _id }, { $set: { mfa } });

    await anonymous.post(`${AUTH}/password/forgot`, { email: user.email });
    const mail = await mailTo(user.email, ({ text }) => text.includes('/reset-password#'));
    const reset = { token: tokenIn(mail), password: 'another-horse-battery' };
    expect(await anonymous.post(`${AUTH}/password/reset`, reset)).toMatchObject({ status: 204 });
    const { text } = await mailTo(user.email, ({ subject }) => subject.includes('was changed'));
    expect(text.replace(/\s+/g, ' ')).toMatch(
      /second factor \(since January 31, 2026.*phone number that ends in 4567 \(since January 31.*notifications: 1 \(the latest since/,
    );
    expect((await database.collection('accounts').findOne({ _id }))?.['mfa']).not.toBeNull();
    expect(await database.collection('pushsubscriptions').countDocuments({ user: _id })).toBe(1);
    expect(mailsTo(user.email).filter(({ subject }) => subject.includes('was changed'))).toHaveLength(1);
  });
});

describe('a second factor that was begun', () => {
  it('can be confirmed for ten minutes, and ends with the password', async () => {
    const user = await registerVerifiedUser(service);
    const accounts = databaseOf(service).collection('accounts');
    const _id = new ObjectId(user.id);
    const { password } = user;
    const begin = (proof: object) => user.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, proof);
    const confirm = async (secret: string) => {
      const { Secret, TOTP } = await import('otpauth');
      return await user.api.post<{ recoveryCodes: string[] }>(`${AUTH}/mfa/totp/confirm`, {
        code: new TOTP({ secret: Secret.fromBase32(secret) }).generate(),
      });
    };
    const begun = await begin({ password });
    await accounts.updateOne({ _id }, { $set: { pendingMfaSince: new Date(Date.now() - 601_000) } });
    expect(await confirm(begun.body.secret)).toMatchObject({ status: 401 });

    const again = await begin({ password });
    const change = { currentPassword: password, newPassword: 'another-horse-battery' };
    expect(await user.api.post(`${AUTH}/password/change`, change)).toMatchObject({ status: 204 });
    expect(await confirm(again.body.secret)).toMatchObject({ status: 401 });
    await waitFor('no secret', async () => (await accounts.findOne({ _id }))?.['pendingMfaSecret'] === null);

    const last = await begin({ password: 'another-horse-battery' });
    const { status, body } = await confirm(last.body.secret);
    expect(status).toBe(200);
    // 5 bits a character: 112 bits at least.
    for (const code of body.recoveryCodes) expect(code.replaceAll('-', '').length * 5).toBeGreaterThanOrEqual(112);
  });
});
