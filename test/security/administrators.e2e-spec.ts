import { ApiClient } from '../support/api-client.js';
import { startService, type TestService } from '../support/service.js';
import {
  createAdmin,
  createApiKey,
  deleteUser,
  logIn,
  registerUser,
  setRole,
  type TestUser,
  withRole,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const USERS = '/api/v1/users';
const ME = `${USERS}/me`;

let service: TestService;
let root: TestUser;
beforeAll(async () => {
  service = await startService();
  root = await createAdmin(service);
});

/** A user with a profile. */
async function newUser(): Promise<TestUser> {
  const user = await registerUser(service);
  await waitFor('the profile', async () => (await user.api.get(ME)).status === 200);
  return user;
}

/** An administrator with a profile. */
async function newAdmin(): Promise<TestUser> {
  return await withRole(service, await newUser(), 'admin');
}

async function roleOf({ id }: TestUser): Promise<string> {
  return (await root.api.get<{ role: string }>(`${USERS}/${id}`)).body.role;
}

describe('an administrator with a token from before', () => {
  /** All that a former administrator may try at once, with what an accomplice gains by it. */
  async function attempts(former: TestUser, accomplice: TestUser): Promise<number[]> {
    const answers = await Promise.all([
      setRole(former, former, 'admin'),
      setRole(former, accomplice, 'admin'),
      former.api.patch(`${USERS}/${accomplice.id}`, { name: 'Changed' }),
      deleteUser(former, root),
    ]);
    return answers.map(({ status }) => status);
  }

  it.each<[string, (former: TestUser) => Promise<{ status: number }>]>([
    ['a demotion', (former) => setRole(root, former, 'user')],
    ['a deletion', (former) => deleteUser(root, former)],
  ])('changes nothing after %s', async (_, end) => {
    for (let round = 0; round < 3; round++) {
      const [former, accomplice] = [await newAdmin(), await newUser()];
      expect([200, 204]).toContain((await end(former)).status);
      const statuses = await attempts(former, accomplice);
      expect(statuses.filter((status) => ![401, 403].includes(status))).toEqual([]);
      expect(await root.api.get(`${USERS}/${accomplice.id}`)).toMatchObject({
        status: 200,
        body: { role: 'user', name: accomplice.name },
      });
    }
  });

  it('logs in and refreshes as what they are now', async () => {
    const former = await newAdmin();
    expect(await setRole(root, former, 'user')).toMatchObject({ status: 200 });
    const { refreshToken } = former.tokens;
    const [again, refreshed] = await Promise.all([
      logIn(service, former),
      new ApiClient(service).post('/api/v1/auth/refresh', { refreshToken }),
    ]);
    expect(again.tokens.user.role).toBe('user');
    expect(refreshed).toMatchObject({ status: 200, body: { user: { role: 'user' } } });
    expect(await again.api.get(USERS)).toMatchObject({ status: 403 });
  });
});

describe('administrators', () => {
  it('cannot demote or delete themselves', async () => {
    const admin = await newAdmin();
    expect(await setRole(admin, admin, 'manager')).toMatchObject({ status: 409, body: { code: 'OWN_ACCOUNT' } });
    expect(await deleteUser(admin, admin)).toMatchObject({
      status: 409,
      body: { code: 'OWN_ACCOUNT' },
    });
    expect(await roleOf(admin)).toBe('admin');
    // They are one already.
    expect(await setRole(admin, admin, 'admin')).toMatchObject({ status: 200 });
  });

  it.each<[string, (actor: TestUser, other: TestUser) => Promise<{ status: number }>]>([
    ['demote', (actor, other) => setRole(actor, other, 'user')],
    ['delete', (actor, other) => deleteUser(actor, other)],
  ])('who %s each other at once leave one', async (_, act) => {
    for (let round = 0; round < 3; round++) {
      const [one, other] = [await newAdmin(), await newAdmin()];
      const answers = await Promise.all([act(one, other), act(other, one)]);
      const successes = answers.filter(({ status }) => status < 300);
      const refusals = answers.filter(({ status }) => status === 401 || status === 403);
      expect([successes.length, refusals.length]).toEqual([1, 1]);
    }
  });
});

describe('a stolen access token of an administrator', () => {
  it('is not enough to raise a role or to delete anybody', async () => {
    const user = await newUser();
    const tokenOnly = { api: root.api, password: undefined as unknown as string };
    const stepUp = { status: 403, body: { code: 'STEP_UP_REQUIRED', methods: ['password'] } };
    expect(await setRole(tokenOnly, user, 'admin')).toMatchObject(stepUp);
    expect(await deleteUser(tokenOnly, user)).toMatchObject(stepUp);
    expect(await setRole({ ...root, password: 'wrong-horse-battery' }, user, 'admin')).toMatchObject({ status: 401 });
    expect(await roleOf(user)).toBe('user');

    expect(await setRole(root, user, 'manager')).toMatchObject({ status: 200, body: { role: 'manager' } });
    // Lowering a role is no gain for a thief, and must stay quick.
    expect(await setRole(tokenOnly, user, 'user')).toMatchObject({ status: 200, body: { role: 'user' } });
  });
});

describe("an administrator's API key", () => {
  it('changes and deletes other users only with the scope users:admin', async () => {
    const user = await newUser();
    const { password } = root;
    const { api: writer } = await createApiKey(root, ['users:write']);
    const { api: administrator } = await createApiKey(root, ['users:write', 'users:admin']);
    const requests = (api: ApiClient) => [
      () => api.patch(`${USERS}/${user.id}`, { name: 'Changed' }),
      () => setRole({ api, password }, user, 'manager'),
      () => setRole({ api, password }, user, 'user'),
      () => deleteUser({ api, password }, user),
    ];
    for (const request of requests(writer)) {
      expect(await request()).toMatchObject({ status: 403, body: { code: 'FORBIDDEN' } });
    }
    expect(await writer.get(`${USERS}/${user.id}`)).toMatchObject({ status: 200, body: { name: user.name } });
    expect(await writer.patch(ME, { locale: 'de' })).toMatchObject({ status: 200 });
    expect(await deleteUser({ api: administrator, password }, root)).toMatchObject({ status: 409 });
    for (const request of requests(administrator)) expect([200, 204]).toContain((await request()).status);
    expect(await root.api.get(`${USERS}/${user.id}`)).toMatchObject({ status: 404 });
  });
});
