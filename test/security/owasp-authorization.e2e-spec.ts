import webPush from 'web-push';
import type { ApiClient, ApiResponse, PageOf, Problem } from '../support/api-client.js';
import { ApiClient as Client } from '../support/api-client.js';
import { newPushKeys } from '../support/push.js';
import { startService, type TestService } from '../support/service.js';
import { Api } from '../support/openapi.js';
import { createTask, TASKS } from '../support/tasks.js';
import {
  createAdmin,
  createApiKey,
  logIn,
  registerUser,
  registerVerifiedUser,
  setRole,
  type TestUser,
  withRole,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { Contract, type Operation } from './support/contract.js';

/** OWASP API Security Top 10 (2023), the lines about who may do what to which data. */

const AUTH = '/api/v1/auth';
const ME = '/api/v1/users/me';
const NOTIFICATIONS = '/api/v1/notifications';
const SUBSCRIPTIONS = `${NOTIFICATIONS}/push/subscriptions`;

let service: TestService;
let contract: Contract;
let victim: TestUser;
let attacker: TestUser;
let manager: TestUser;
let admin: TestUser;
/** The victim's, by the address they are found at. */
let ids: Record<string, string>;
let attachmentId: string;
/** Collections that are tried in the same way as that of tasks. */
const collections: string[] = [TASKS];
beforeAll(async () => {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  const push = { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey };
  service = await startService({ MAX_EVENT_LOOP_LAG_MS: '60000', ...push });
  contract = await Contract.of(service);
  [victim, attacker, manager, admin] = await Promise.all([
    registerVerifiedUser(service),
    registerUser(service),
    registerUser(service),
    createAdmin(service),
  ]);
  for (const { api } of [victim, attacker, manager]) await api.get(ME); // the profile is there from now on
  manager = await withRole(service, manager, 'manager');
  const task = await createTask(victim.api, { status: 'done' });
  const attachments = `${TASKS}/${task.id}/attachments`;
  const created = await victim.api.post<{ attachment: { id: string } }>(attachments, CHANGES[ATTACHMENTS]);
  attachmentId = created.body.attachment.id;
  const key = await createApiKey(victim, ['tasks:write']);
  const [notification] = await waitFor('the notifications of the task and of the key', async () => {
    const { body } = await victim.api.get<PageOf<{ id: string }>>(NOTIFICATIONS);
    return body.data.length === 2 && body.data;
  });
  const subscription = await victim.api.post<{ id: string }>(SUBSCRIPTIONS, {
    endpoint: 'https://push.example.org/victim',
    keys: newPushKeys(),
  });
  const sessions = await victim.api.get<PageOf<{ id: string }>>(`${AUTH}/sessions`);
  ids = {
    [`${TASKS}/`]: task.id,
    [`${NOTIFICATIONS}/`]: notification?.id ?? '',
    [`${SUBSCRIPTIONS}/`]: subscription.body.id,
    [`${AUTH}/api-keys/`]: key.id,
    [`${AUTH}/sessions/`]: sessions.body.data[0]?.id ?? '',
  };
  await createRows();
});

/** A row of the victim's in each further collection, made of the document's example. */
async function createRows(): Promise<void> {
  for (const { path, row, change } of (await Api.of(service)).collections) {
    if (`${path}/` in ids) continue;
    ids[`${path}/`] = (await victim.api.post<{ id: string }>(path, row)).body.id;
    CHANGES[`${path}/`] = change;
    collections.push(path);
  }
}

/** Bodies that the owner could send. */
const ATTACHMENTS = `${TASKS}/{id}/attachments`;
const CHANGES: Record<string, unknown> = {
  [ATTACHMENTS]: { filename: 'a.txt', contentType: 'text/plain', size: 1 },
  [`${TASKS}/`]: { title: 'Mine now' },
  [`${NOTIFICATIONS}/`]: { read: true },
};

function call(api: ApiClient, { method, path }: Operation, body?: unknown): Promise<ApiResponse<Problem>> {
  return api.send(method.toUpperCase(), path, body);
}

/** All that the victim can see of their own. */
async function possessions(): Promise<unknown[]> {
  const paths = [...collections, NOTIFICATIONS, `${AUTH}/api-keys`, `${AUTH}/sessions`, ME, `${ME}/preferences`];
  return await Promise.all(paths.map(async (path) => (await victim.api.get(path)).body));
}

function withoutRole(): Operation[] {
  return contract.operations.filter(({ isPublic, minimumRole }) => !isPublic && !minimumRole);
}

describe('API1:2023 Broken Object Level Authorization', () => {
  it("answers 404 at every route with an id for another user's, and changes nothing", async () => {
    const before = await possessions();
    const routes = withoutRole().filter(({ path }) => path.includes('{'));
    expect(routes.length).toBeGreaterThanOrEqual(7);
    for (const route of routes) {
      const place = route.path.slice(0, route.path.indexOf('{'));
      expect(Object.keys(ids)).toContain(place); // a new kind of resource belongs into this test
      const path = route.path.replace('{attachmentId}', attachmentId).replace('{id}', ids[place] ?? '');
      const body = route.bodySchema && (CHANGES[route.path] ?? CHANGES[place]);
      for (const api of [attacker.api, admin.api]) {
        const { status, body: problem } = await call(api, { ...route, path }, body);
        expect({ route: `${route.method} ${path}`, status, code: problem.code }).toMatchObject({ status: 404 });
      }
    }
    expect(await possessions()).toEqual(before);
  });

  it("shows nothing of another user's in lists, counts, statistics and exports", async () => {
    const paths = [
      ...collections,
      `${TASKS}/stats`,
      NOTIFICATIONS,
      `${AUTH}/sessions`,
      `${AUTH}/api-keys`,
      `${ME}/export`,
    ];
    const seen = await Promise.all(paths.map(async (path) => JSON.stringify((await attacker.api.get(path)).body)));
    for (const secret of [victim.id, victim.email, ...Object.values(ids)]) expect(seen.join()).not.toContain(secret);
    expect((await attacker.api.get<{ total: number }>(`${TASKS}/stats`)).body.total).toBe(0);
  });

  it("takes no other user's page cursor for a way to their rows", async () => {
    await createTask(victim.api);
    const { body } = await victim.api.get<PageOf<unknown>>(`${TASKS}?limit=1`);
    const stolen = await attacker.api.get<PageOf<unknown>>(`${TASKS}?limit=1&cursor=${body.page.nextCursor}`);
    expect([400, 200]).toContain(stolen.status);
    expect(JSON.stringify(stolen.body)).not.toContain('Write the report');
  });
});

describe('API3:2023 Broken Object Property Level Authorization', () => {
  const OWN = [
    'role',
    'emailVerified',
    'id',
    '_id',
    'user',
    'userId',
    'version',
    'createdAt',
    'passwordHash',
    'mfa',
    '__v',
  ];

  it('refuses members that are not for the client to set, in every body, and sets none', async () => {
    const before = await attacker.api.get(ME);
    for (const operation of contract.operations.filter(({ bodySchema }) => bodySchema)) {
      const { properties = {} } = contract.resolve(operation.bodySchema ?? {});
      const path = operation.path.replace(/\{\w+\}/g, attacker.id);
      for (const field of OWN.filter((name) => !(name in properties))) {
        const { status, body } = await call(admin.api, { ...operation, path }, { [field]: 'admin' });
        expect({ path, field, status }).toEqual({ path, field, status: 400 });
        expect(body.errors).toContainEqual({ field, message: 'is not known' });
      }
    }
    expect((await attacker.api.get(ME)).body).toEqual(before.body);
  });

  it('registers nobody as more than a user, whatever they add', async () => {
    const registration = { name: 'Eve', email: `eve-${victim.id}@example.org`, password: 'correct-horse-battery' };
    const answer = await new Client(service).post(`${AUTH}/register`, { ...registration, role: 'admin' });
    expect(answer.status).toBe(400);
    expect((await new Client(service).post(`${AUTH}/register`, registration)).body).toMatchObject({
      user: { role: 'user', emailVerified: false },
    });
  });

  it('answers nothing that is for the service alone', async () => {
    const answers: unknown[] = [victim.tokens];
    for (const { path } of contract.operations.filter(({ method }) => method === 'get')) {
      const own = Object.entries(ids).reduce(
        (filled, [place, id]) => filled.replace(new RegExp(`^(${place})\\{\\w+\\}$`), `$1${id}`),
        path,
      );
      for (const api of [victim.api, admin.api]) answers.push((await api.get(own.replace(/\{\w+\}/g, victim.id))).body);
    }
    const shown = JSON.stringify(answers);
    expect(shown).toContain(victim.id);
    expect(shown).not.toMatch(
      /"(_id|__v|\w*[hH]ash|seed|secret|pendingMfaSecret|nameKey|lastStep|tokensValidFrom)":|\$argon2/,
    );
  });
});

describe('API5:2023 Broken Function Level Authorization', () => {
  it('answers 401 to nobody at every route that is not public', async () => {
    for (const operation of contract.operations.filter(({ isPublic }) => !isPublic)) {
      const { status } = await call(new Client(service), operation);
      expect({ ...operation, status }).toMatchObject({ status: 401 });
    }
  });

  it.each([
    ['a user', () => attacker, ['manager', 'admin']],
    ['a manager', () => manager, ['admin']],
  ])('answers 403 to %s at every route for more than them', async (_, who, beyond) => {
    const routes = contract.operations.filter(({ minimumRole = '' }) => beyond.includes(minimumRole));
    expect(routes.length).toBeGreaterThan(0);
    for (const route of routes) {
      const path = route.path.replace(/\{\w+\}/g, who().id);
      const { status } = await call(who().api, { ...route, path }, route.bodySchema && { role: 'admin' });
      expect({ path, status }).toEqual({ path, status: 403 });
    }
  });

  it('keeps API keys to their scopes: out of /auth, and from writing with a scope to read', async () => {
    const all = ['tasks:write', 'notifications:write', 'users:write'];
    const [everything, reader] = await Promise.all([
      createApiKey(admin, all),
      createApiKey(admin, ['tasks:read', 'users:read']),
    ]);
    for (const { path, ...operation } of contract.operations.filter(({ isPublic }) => !isPublic)) {
      const filled = { ...operation, path: path.replace(/\{\w+\}/g, victim.id) };
      const isClosed = path.startsWith(AUTH) || (path === ME && operation.method === 'delete');
      if (isClosed) expect(await call(new Client(service, everything.key), filled)).toMatchObject({ status: 403 });
      const isReadable = operation.method === 'get' && !path.startsWith(AUTH) && !path.startsWith(NOTIFICATIONS);
      if (!isReadable) expect(await call(new Client(service, reader.key), filled)).toMatchObject({ status: 403 });
    }
  });

  it('takes an old role from access tokens and API keys alike', async () => {
    const user = await registerVerifiedUser(service);
    await setRole(admin, user, 'admin');
    const promoted = await waitFor('the new role', async () => {
      const again = await logIn(service, user);
      return again.tokens.user.role === 'admin' && again;
    });
    const { key } = await createApiKey(promoted, ['users:write']);
    const program = new Client(service, key);
    expect(await program.get('/api/v1/users')).toMatchObject({ status: 200 });
    await setRole(admin, user, 'user');
    await waitFor('the end of the old role', async () => {
      const [byToken, byKey] = await Promise.all([promoted.api.get(`${AUTH}/audit`), program.get('/api/v1/users')]);
      return byToken.status === 401 && byKey.status === 403;
    });
  });
});
