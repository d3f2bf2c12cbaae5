import { ObjectId } from 'mongodb';
import { ApiClient, type ApiResponse, type PageOf, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { LiveClient } from '../support/live-client.js';
import { mailsTo, mailTo, tokenIn } from '../support/mail.js';
import { startService, type TestService } from '../support/service.js';
import { codeOf } from '../support/totp.js';
import {
  createAdmin,
  createApiKey,
  deleteUser,
  logIn,
  registerVerifiedUser,
  setRole,
  type TestUser,
  type Tokens,
  withRole,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const USERS = '/api/v1/users';
const TASKS = '/api/v1/tasks';
/** How long it may take until the end of access is known everywhere. */
const EVERYWHERE_MS = 1000;
const SUSPENDED = { status: 403, body: { code: 'ACCOUNT_SUSPENDED' } };

let service: TestService;
/** Another instance on the same database. */
let replica: TestService;
let anonymous: ApiClient;
let root: TestUser;
beforeAll(async () => {
  service = await startService();
  replica = await service.replica();
  anonymous = new ApiClient(service);
  root = await createAdmin(service);
});

function suspend(user: TestUser, actor = root): Promise<ApiResponse<Problem>> {
  return actor.api.post(`${USERS}/${user.id}/suspend`, { reason: 'spam', password: actor.password });
}

function unsuspend(user: TestUser): Promise<ApiResponse<Problem>> {
  return root.api.post(`${USERS}/${user.id}/unsuspend`);
}

function refresh({ tokens: { refreshToken } }: Pick<TestUser, 'tokens'>): Promise<ApiResponse<Tokens & Problem>> {
  return anonymous.post(`${AUTH}/refresh`, { refreshToken });
}

/** Waits until all instances answer this to a user's request. */
async function untilEverywhere(api: ApiClient, expected: number, withinMs?: number, instances = [service, replica]) {
  const answered = async () => {
    const answers = await Promise.all(instances.map((instance) => api.at(instance).get(TASKS)));
    return answers.every(({ status }) => status === expected);
  };
  await waitFor(`${expected} on every instance`, answered, withinMs);
}

describe('a suspended user', () => {
  it('is rejected everywhere within a second, by session and API key, until it is lifted', async () => {
    const user = await registerVerifiedUser(service);
    const program = await createApiKey(user, ['tasks:write']);
    const live = await LiveClient.open(replica, user.tokens.accessToken);
    expect(await suspend(user)).toMatchObject({ status: 204 });
    await untilEverywhere(user.api, 403, EVERYWHERE_MS);
    await untilEverywhere(program.api, 403, EVERYWHERE_MS);
    expect((await live.closed)[0]).toBe(4401);
    expect(await user.api.get(TASKS)).toMatchObject(SUSPENDED);
    expect(await program.api.post(TASKS, { title: 'x' })).toMatchObject(SUSPENDED);
    expect(await refresh(user)).toMatchObject(SUSPENDED);
    const { email, password } = user;
    expect(await anonymous.post(`${AUTH}/login`, { email, password })).toMatchObject(SUSPENDED);
    const wrong = { email, password: 'wrong-horse-battery' };
    expect(await anonymous.post(`${AUTH}/login`, wrong)).toMatchObject({ status: 401 });

    // A process that starts later knows it as well.
    const later = await service.replica();
    expect(await user.api.at(later).get(TASKS)).toMatchObject(SUSPENDED);

    expect(await unsuspend(user)).toMatchObject({ status: 204 });
    await untilEverywhere(user.api, 200, EVERYWHERE_MS, [service, replica, later]);
    await untilEverywhere(program.api, 200, EVERYWHERE_MS);
    expect(await refresh(user)).toMatchObject({ status: 200 });
    expect((await logIn(service, user)).tokens.user.id).toBe(user.id);
    await later.stop();
  });

  it('stays suspended after a password reset', async () => {
    const user = await registerVerifiedUser(service);
    await anonymous.post(`${AUTH}/password/forgot`, { email: user.email });
    const token = tokenIn(await mailTo(user.email, ({ text }) => text.includes('/reset-password#')));
    expect(await suspend(user)).toMatchObject({ status: 204 });
    const password = 'quite-another-battery-horse';
    expect(await anonymous.post(`${AUTH}/password/reset`, { token, password })).toMatchObject({ status: 204 });
    await waitFor('the suspension', async () => {
      return (
        (await anonymous.post<Problem>(`${AUTH}/login`, { email: user.email, password })).body.code ===
        'ACCOUNT_SUSPENDED'
      );
    });
  });

  it('is sent nothing, and nothing of what was missed afterwards', async () => {
    const user = await registerVerifiedUser(service);
    const resetMails = () => mailsTo(user.email).filter(({ text }) => text.includes('/reset-password#'));
    expect(await suspend(user)).toMatchObject({ status: 204 });
    await waitFor('the audit entry, which follows the suspension', async () => {
      const { body } = await root.api.get<PageOf<{ details: { userId?: string } }>>(
        `${AUTH}/audit?event=user.suspended`,
      );
      return body.data.some(({ details }) => details.userId === user.id);
    });
    await anonymous.post(`${AUTH}/password/forgot`, { email: user.email });
    const deliveries = databaseOf(service).collection('deliveries');
    const reset = { user: new ObjectId(user.id), event: 'account.password-reset' };
    await waitFor('the mail to be dropped', async () => {
      return (await deliveries.countDocuments({ ...reset, state: 'done', deliveredAt: null })) === 1;
    });
    expect(await unsuspend(user)).toMatchObject({ status: 204 });
    await untilEverywhere(user.api, 200);
    await waitFor('a mail after the suspension', async () => {
      await anonymous.post(`${AUTH}/password/forgot`, { email: user.email });
      return resetMails().length > 0;
    });
    expect(await deliveries.countDocuments({ ...reset, state: 'done', deliveredAt: null })).toBe(1);
    const { body } = await user.api.get<PageOf<{ event: string }>>('/api/v1/notifications');
    expect(body.data.filter(({ event }) => event === 'account.password-reset')).toEqual([]);
  });
});

it('keeps no reason of a suspension once the person is erased', async () => {
  const user = await registerVerifiedUser(service);
  expect(await suspend(user)).toMatchObject({ status: 204 });
  const entries = databaseOf(service).collection('auditentries');
  const about = { event: 'user.suspended', 'details.userId': user.id };
  await waitFor('the reason', () => entries.findOne({ ...about, 'details.reason': 'spam' }));
  expect(await deleteUser(root, user)).toMatchObject({ status: 204 });
  await waitFor('the erasure', () => entries.findOne({ event: 'account.deleted', 'details.userId': user.id }));
  expect(await entries.findOne(about)).toMatchObject({ details: { userId: user.id } });
  expect(await entries.countDocuments({ 'details.userId': user.id, 'details.reason': { $exists: true } })).toBe(0);
});

it('refuses to suspend oneself, and needs a step-up', async () => {
  const user = await registerVerifiedUser(service);
  expect(await suspend(root)).toMatchObject({ status: 409, body: { code: 'LAST_ADMIN' } });
  expect(await root.api.post(`${USERS}/${user.id}/suspend`, {})).toMatchObject({
    status: 403,
    body: { code: 'STEP_UP_REQUIRED' },
  });
  expect(await setRole(root, user, 'admin')).toMatchObject({ status: 200 });
  expect(await suspend(root)).toMatchObject({ status: 409, body: { code: 'OWN_ACCOUNT' } });
  expect(await suspend(user)).toMatchObject({ status: 204 });
  // A suspended administrator is none that could stay.
  expect(await suspend(root)).toMatchObject({ status: 409, body: { code: 'LAST_ADMIN' } });
});

it('ends all sessions of a user, and leaves the API keys', async () => {
  const user = await registerVerifiedUser(service);
  const program = await createApiKey(user, ['tasks:read']);
  expect(await root.api.delete(`${USERS}/${user.id}/sessions`)).toMatchObject({ status: 202 });
  await untilEverywhere(user.api, 401, EVERYWHERE_MS);
  await waitFor('the refresh to be refused', async () => (await refresh(user)).status === 401);
  expect(await program.api.get(TASKS)).toMatchObject({ status: 200 });
  expect(await (await logIn(service, user)).api.get(TASKS)).toMatchObject({ status: 200 });
});

it('removes a lost second factor', async () => {
  const user = await registerVerifiedUser(service);
  const { password } = user;
  const { body } = await user.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password });
  const confirm = (secret: string) => user.api.post(`${AUTH}/mfa/totp/confirm`, { code: codeOf(secret) });
  expect(await confirm(body.secret)).toMatchObject({ status: 200 });
  const removal = (proof?: object) => root.api.send('DELETE', `${USERS}/${user.id}/mfa`, proof);
  expect(await removal()).toMatchObject({ status: 403, body: { code: 'STEP_UP_REQUIRED' } });
  expect(await removal({ password: root.password })).toMatchObject({ status: 202 });
  await waitFor('a log-in without a code', async () => {
    return (await anonymous.post(`${AUTH}/login`, { email: user.email, password })).status === 200;
  });
});

it('removes a secret of a second factor that waits for its confirmation', async () => {
  const user = await registerVerifiedUser(service);
  const { body } = await user.api.post<{ secret: string }>(`${AUTH}/mfa/totp`, { password: user.password });
  const removed = await root.api.send('DELETE', `${USERS}/${user.id}/mfa`, { password: root.password });
  expect(removed).toMatchObject({ status: 202 });
  const accounts = databaseOf(service).collection('accounts');
  const none = { pendingMfaSecret: null, pendingMfaSince: null };
  await waitFor('no secret', () => accounts.findOne({ _id: new ObjectId(user.id), ...none }));
  const code = codeOf(body.secret);
  expect(await user.api.post(`${AUTH}/mfa/totp/confirm`, { code })).toMatchObject({ status: 401 });
});

it('shows administrators, and nobody else, whether and why a user is suspended', async () => {
  const user = await registerVerifiedUser(service);
  const manager = await withRole(service, await registerVerifiedUser(service), 'manager');
  type Body = { suspended?: { at: string; reason: string | null } | null };
  const read = async ({ api }: TestUser) => (await api.get<Body>(`${USERS}/${user.id}`)).body.suspended;
  expect(await read(root)).toBeNull();
  const before = Date.now();
  expect(await suspend(user)).toMatchObject({ status: 204 });
  const suspended = await read(root);
  expect(suspended?.reason).toBe('spam');
  const at = Date.parse(suspended?.at ?? '');
  expect([at >= before, at <= Date.now()]).toEqual([true, true]);
  expect(await manager.api.get(`${USERS}/${user.id}`)).toMatchObject({ status: 200, body: { id: user.id } });
  expect(await read(manager)).toBeUndefined();
  const readBy = async (...scopes: string[]) =>
    (await (await createApiKey(root, ['users:read', ...scopes])).api.get<Body>(`${USERS}/${user.id}`)).body.suspended;
  expect(await readBy()).toBeUndefined();
  expect((await readBy('users:admin'))?.reason).toBe('spam');

  expect(await unsuspend(user)).toMatchObject({ status: 204 });
  expect(await read(root)).toBeNull();
  const again = { password: root.password };
  expect(await root.api.post(`${USERS}/${user.id}/suspend`, again)).toMatchObject({ status: 204 });
  expect(await read(root)).toMatchObject({ reason: null });
});

it('shows no reason of an earlier suspension after a release without reasons has suspended again', async () => {
  const user = await registerVerifiedUser(service);
  const read = async () => (await root.api.get<{ suspended: object }>(`${USERS}/${user.id}`)).body.suspended;
  expect(await suspend(user)).toMatchObject({ status: 204 });
  expect(await read()).toMatchObject({ reason: 'spam' });
  const suspendedAt = new Date(Date.now() + 1000);
  await databaseOf(service)
    .collection('users')
    .updateOne({ _id: new ObjectId(user.id) }, { $set: { suspendedAt } });
  expect(await read()).toEqual({ at: suspendedAt.toISOString(), reason: null });
});

it('writes into the audit trail who did what, from where, and why', async () => {
  const user = await registerVerifiedUser(service);
  const key = await createApiKey(root, ['users:write', 'users:admin']);
  expect(await key.api.patch(`${USERS}/${user.id}`, { name: 'Changed' })).toMatchObject({ status: 200 });
  expect(await suspend(user)).toMatchObject({ status: 204 });
  const entries = await waitFor('both entries', async () => {
    const { body } = await root.api.get<PageOf<{ event: string; details: { userId?: string } }>>(
      `${AUTH}/audit?actorId=${root.id}&limit=100`,
    );
    const found = body.data.filter(({ details, event }) => details.userId === user.id && event.startsWith('user.'));
    return found.length === 2 && found;
  });
  const common = { actorId: root.id, ip: '127.0.0.1', userAgent: 'node' };
  expect(entries).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ ...common, apiKeyId: key.id, event: 'user.changed' }),
      expect.objectContaining({ ...common, apiKeyId: null, event: 'user.suspended' }),
    ]),
  );
  expect(entries.find(({ event }) => event === 'user.suspended')?.details).toMatchObject({ reason: 'spam' });
});
