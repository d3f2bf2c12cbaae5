import { ApiClient, type ApiResponse } from '../support/api-client.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { databaseUri, newDatabaseName, startService, TestService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createAdmin, createApiKey, type TestUser, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const USERS = '/api/v1/users';
/** How long it may take until the end of access is known everywhere. */
const EVERYWHERE_MS = 1000;

/** Connections to the broker stay open, and nothing passes. */
let line: TcpProxy;
/** The profiles, and everything else, in processes of their own. */
let users: TestService;
let others: TestService;
let root: TestUser;

beforeAll(async () => {
  const broker = await startOwnRabbitMq();
  const url = new URL(broker.url);
  line = await startTcpProxy(Number(url.port));
  url.port = String(line.port);
  users = await startService({ MODULES: 'users', EVENT_BUS: 'rabbitmq', RABBITMQ_URL: url.href });
  const name = newDatabaseName();
  others = await new TestService(name, {
    ...users.environment,
    MODULES: 'auth,tasks,notifications',
    MONGODB_URI: databaseUri(name),
  }).start();
  root = await newAdmin();
}, 300_000);
afterEach(() => line.mend());

async function newAdmin(): Promise<TestUser> {
  const admin = await createAdmin(others);
  await waitFor('the profile', async () => (await admin.api.at(users).get(`${USERS}/me`)).status === 200, 60_000);
  return admin;
}

function refresh({ tokens: { refreshToken } }: TestUser): Promise<ApiResponse<Tokens>> {
  return new ApiClient(others).post(`${AUTH}/refresh`, { refreshToken });
}

describe('while RabbitMQ is stalled', () => {
  it('a demoted administrator has no power, and gets none by a refresh', async () => {
    const former = await newAdmin();
    line.silence();
    const demoted = await root.api.at(users).put(`${USERS}/${former.id}/role`, { role: 'user' });
    expect(demoted.status).toBe(200);
    const restored = await former.api.at(users).put(`${USERS}/${former.id}/role`, {
      role: 'admin',
      password: former.password,
    });
    expect([401, 403]).toContain(restored.status);
    for (const path of [`${AUTH}/audit`, USERS]) {
      const service = path === USERS ? users : others;
      const refused = async () => [401, 403].includes((await former.api.at(service).get(path)).status);
      await waitFor(`${path} to be refused`, refused, EVERYWHERE_MS);
    }
    const { status, body } = await refresh(former);
    expect([status, body.user.role]).toEqual([200, 'user']);
    const api = new ApiClient(others, body.accessToken);
    expect((await api.get(`${AUTH}/audit`)).status).toBe(403);
    expect((await api.at(users).get(USERS)).status).toBe(403);
  });

  it('a removed API key is rejected by the processes of other modules, too', async () => {
    const { id, api } = await createApiKey(root, ['users:write']);
    const atUsers = api.at(users);
    const me = `${USERS}/me`;
    await waitFor('the key to be known', async () => (await atUsers.get(me)).status === 200, 60_000);
    line.silence();
    expect((await root.api.at(others).delete(`${AUTH}/api-keys/${id}`)).status).toBe(204);
    const refused = async () => (await atUsers.patch(me, { locale: 'de' })).status === 401;
    await waitFor('the key to be refused', refused, EVERYWHERE_MS);
  });
});
