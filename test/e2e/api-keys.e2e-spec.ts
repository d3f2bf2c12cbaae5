import { ObjectId } from 'mongodb';
import type { PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailsTo, mailTo } from '../support/mail.js';
import { runCli, startService, type TestService } from '../support/service.js';
import { createApiKey, registerUser, registerVerifiedUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { atOnce, tally } from '../security/support/requests.js';

const KEYS = '/api/v1/auth/api-keys';
const TASKS = '/api/v1/tasks';
const MAX_KEYS = 25;
const DAY_MS = 24 * 3_600_000;

let service: TestService;
beforeAll(async () => {
  service = await startService();
});

function keysOf(user: TestUser) {
  return databaseOf(service)
    .collection('apikeys')
    .find({ user: new ObjectId(user.id) })
    .toArray();
}

/** Keys as the release before stored them: without expiry, and as many as one liked. */
async function insertOldKeys(user: TestUser, count: number): Promise<void> {
  const key = { user: new ObjectId(user.id), name: 'old key', scopes: ['tasks:read'], role: 'user', expiresAt: null };
  const rest = { lastUsedAt: null, createdAt: new Date(), version: 1 };
  const keys = Array.from({ length: count }, (_, number) => ({ ...key, ...rest, secretHash: `hash ${number}` }));
  await databaseOf(service).collection('apikeys').insertMany(keys);
}

async function runJobs(): Promise<void> {
  await databaseOf(service)
    .collection('recurringjobs')
    .updateMany({}, { $set: { availableAt: new Date(0) } });
}

const aboutKeys = (user: TestUser, title: string) =>
  mailsTo(user.email).filter(({ subject }) => subject.includes(title));

describe('the expiry of an API key', () => {
  it('is 90 days away by default, and a year at most', async () => {
    const user = await registerVerifiedUser(service);
    const days = async (input: object) => {
      const { expiresAt } = await createApiKey(user, ['tasks:read'], input as Record<string, unknown>);
      return Math.round((Date.parse(expiresAt) - Date.now()) / DAY_MS);
    };
    expect(await days({})).toBe(90);
    expect(await days({ expiresAt: null })).toBe(90);
    expect(await days({ expiresAt: new Date(Date.now() + 364.9 * DAY_MS).toISOString() })).toBe(365);
    const tooLate = { expiresAt: new Date(Date.now() + 366 * DAY_MS).toISOString() };
    const input = { name: 'x', scopes: ['tasks:read'], password: user.password, ...tooLate };
    expect(await user.api.post<Problem>(KEYS, input)).toMatchObject({
      status: 400,
      body: { errors: [{ field: 'expiresAt', message: 'must be at most one year from now' }] },
    });
  });

  it('is announced a week before, once', async () => {
    const user = await registerVerifiedUser(service);
    const keys = databaseOf(service).collection('apikeys');
    const { id, expiresAt } = await createApiKey(user, ['tasks:read'], { name: 'nightly report' });
    const stored = await keys.findOne({ _id: new ObjectId(id) });
    expect(Date.parse(expiresAt) - (stored?.['announceExpiryAt'] as Date).getTime()).toBe(7 * DAY_MS);
    // Six days before.
    const sooner = { expiresAt: new Date(Date.now() + 6 * DAY_MS), announceExpiryAt: new Date(Date.now() - DAY_MS) };
    await keys.updateOne({ _id: new ObjectId(id) }, { $set: sooner });
    await runJobs();
    expect((await mailTo(user.email, ({ subject }) => subject.includes('expires'))).text).toContain('nightly report');
    await runJobs();
    const other = await createApiKey(user, ['tasks:read']);
    await keys.updateOne({ _id: new ObjectId(other.id) }, { $set: sooner });
    await runJobs();
    await waitFor('the mail about the other key', () => aboutKeys(user, 'expires').length > 1);
    expect(aboutKeys(user, 'expires')).toHaveLength(2);
  });
});

describe('a new API key', () => {
  it('needs a verified address', async () => {
    const user = await registerUser(service);
    const input = { name: 'x', scopes: ['tasks:read'], password: user.password };
    expect(await user.api.post(KEYS, input)).toMatchObject({ status: 403, body: { code: 'EMAIL_UNVERIFIED' } });
    expect(await user.api.get(KEYS)).toMatchObject({ status: 200, body: { data: [] } });
  });

  it('is announced by mail and in the inbox, in the language of its owner', async () => {
    const user = await registerVerifiedUser(service);
    await createApiKey(user, ['tasks:read'], { name: 'nightly report' });
    expect((await mailTo(user.email, ({ subject }) => subject.includes('New API key'))).text).toContain(
      'nightly report',
    );
    const { body } = await user.api.get<PageOf<{ event: string; data: { apiKeyId: string } }>>('/api/v1/notifications');
    expect(body.data).toMatchObject([{ event: 'account.api-key-created', data: { name: 'nightly report' } }]);

    expect(await user.api.patch('/api/v1/users/me', { locale: 'de-AT' })).toMatchObject({ status: 200 });
    await waitFor('the language', async () => {
      const contacts = databaseOf(service).collection('contacts');
      return (await contacts.findOne({ _id: new ObjectId(user.id) }))?.['locale'] === 'de-AT';
    });
    await createApiKey(user, ['tasks:read']);
    expect((await mailTo(user.email, ({ subject }) => subject.includes('Neuer API-Schlüssel'))).text).toContain(
      'erstellt',
    );
  });

  it('is one of 25 at most, also when many are created at once', async () => {
    const user = await registerVerifiedUser(service);
    const input = { name: 'x', scopes: ['tasks:read'], password: user.password };
    const answers = await atOnce(MAX_KEYS + 5, () => user.api.post<Problem & { id: string }>(KEYS, input));
    expect(tally(answers)).toEqual({ 201: MAX_KEYS, 409: 5 });
    const refused = await user.api.post<Problem>(KEYS, input);
    expect(refused).toMatchObject({ status: 409, body: { code: 'LIMIT_REACHED' } });
    // Expired and removed ones make room.
    const [first, second] = answers.filter(({ status }) => status === 201).map(({ body }) => body.id);
    expect(await user.api.delete(`${KEYS}/${first}`)).toMatchObject({ status: 204 });
    const expired = { $set: { expiresAt: new Date(Date.now() - 1000) } };
    await databaseOf(service)
      .collection('apikeys')
      .updateOne({ _id: new ObjectId(second) }, expired);
    const later = [
      await user.api.post(KEYS, input),
      await user.api.post(KEYS, input),
      await user.api.post(KEYS, input),
    ];
    expect(later.map(({ status }) => status)).toEqual([201, 201, 409]);
  });
});

describe('API keys', () => {
  it.each([
    ['are removed by a new password', {}, 401],
    ['go on after a new password where their owner wants them to', { keepApiKeys: true }, 200],
  ])('%s', async (_, choice, expected) => {
    const user = await registerVerifiedUser(service);
    const { api } = await createApiKey(user, ['tasks:read']);
    const change = { currentPassword: user.password, newPassword: 'another-horse-battery', ...choice };
    expect(await user.api.post('/api/v1/auth/password/change', change)).toMatchObject({ status: 204 });
    expect(await api.get(TASKS)).toMatchObject({ status: expected });
  });

  it('of an earlier release get 90 days and are announced, and more than 25 stay', async () => {
    const user = await registerVerifiedUser(service);
    await insertOldKeys(user, MAX_KEYS + 5);
    const ledger = databaseOf(service).collection<{ _id: string }>('migrations');
    await ledger.deleteMany({ _id: /^authentication\./ });
    for (const round of [1, 2]) {
      const { code, output } = await runCli(service, ['migrate', '--contract']);
      expect({ round, code, output }).toMatchObject({ round, code: 0 });
    }
    const keys = await keysOf(user);
    expect(keys).toHaveLength(MAX_KEYS + 5);
    for (const key of keys) {
      expect(Math.round(((key['expiresAt'] as Date).getTime() - Date.now()) / DAY_MS)).toBe(90);
    }
    await runJobs();
    await waitFor('a mail for each', () => aboutKeys(user, 'expires').length === keys.length);
    expect(await user.api.post(KEYS, { name: 'x', scopes: ['tasks:read'], password: user.password })).toMatchObject({
      status: 409,
    });
    // A week before they are announced again.
    for (const { expiresAt, announceExpiryAt } of await keysOf(user)) {
      expect((expiresAt as Date).getTime() - (announceExpiryAt as Date).getTime()).toBe(7 * DAY_MS);
    }
  });
});
