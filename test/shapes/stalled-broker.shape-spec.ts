import { connect } from 'amqplib';
import { ApiClient, type ApiResponse, type Problem } from '../support/api-client.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { databaseUri, newDatabaseName, startService, TestService } from '../support/service.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { createAdmin, createApiKey, type TestUser, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const USERS = '/api/v1/users';
/** How long it may take until the end of access is known everywhere. */
const EVERYWHERE_MS = 1000;

/** What the service allows at most, until it doesn't trust what it knows: ten seconds, and the wait for an answer. */
const TOO_OLD_MS = 20_000;

/** What a 503 says for that reason. */
const NOT_KNOWN = 'It is not known at the moment whether this access is still valid.';

/** The lines of all processes to the broker and to Redis. */
let line: TcpProxy;
let brokerUrl: string;
let redisLine: TcpProxy;
/** The profiles, and everything else, in processes of their own. */
let users: TestService;
let others: TestService;
let root: TestUser;

beforeAll(async () => {
  const broker = await startOwnRabbitMq();
  brokerUrl = broker.url;
  const url = new URL(brokerUrl);
  line = await startTcpProxy(Number(url.port));
  url.port = String(line.port);
  const redisUrl = new URL(process.env['TEST_REDIS_URL'] as string);
  redisLine = await startTcpProxy(Number(redisUrl.port));
  redisUrl.port = String(redisLine.port);
  users = await startService({
    MODULES: 'users',
    EVENT_BUS: 'rabbitmq',
    RABBITMQ_URL: url.href,
    REDIS_URL: redisUrl.href,
  });
  const name = newDatabaseName();
  others = await new TestService(name, {
    ...users.environment,
    MODULES: 'auth,tasks,notifications',
    MONGODB_URI: databaseUri(name),
  }).start();
  root = await newAdmin();
}, 300_000);
afterEach(() => [line, redisLine].forEach((each) => each.restore()));

async function newAdmin(): Promise<TestUser> {
  const admin = await createAdmin(others);
  await waitFor('the profile', async () => (await admin.api.at(users).get(`${USERS}/me`)).status === 200, 60_000);
  return admin;
}

function refresh({ tokens: { refreshToken } }: TestUser): Promise<ApiResponse<Tokens>> {
  return new ApiClient(others).post(`${AUTH}/refresh`, { refreshToken });
}

it('a process answers questions again after their queue was deleted', async () => {
  const connection = await connect(brokerUrl);
  try {
    const channel = await connection.createChannel();
    const queue = 'scalable-api.auth.revocations';
    const consumers = async () => (await channel.assertQueue(queue, { durable: true, messageTtl: 1000 })).consumerCount;
    await waitFor('a consumer', async () => (await consumers()) === 1);
    await channel.deleteQueue(queue);
    await waitFor('a consumer again', async () => (await consumers()) === 1, 30_000);
  } finally {
    await connection.close();
  }
});

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

describe('while RabbitMQ and Redis are both away', () => {
  it.each<['stalled' | 'gone', 'Redis' | 'RabbitMQ']>([
    ['stalled', 'Redis'],
    ['gone', 'RabbitMQ'],
  ])(
    '(%s) old credentials get 503 in other modules after ten seconds, and 401 once %s is back',
    async (how, back) => {
      const { id, api } = await createApiKey(root, ['users:write']);
      const former = await newAdmin();
      const withKey = () => api.at(users).patch<Problem>(`${USERS}/me`, { locale: 'de' });
      const asAdmin = () => former.api.at(others).get<Problem>(`${AUTH}/audit`);
      await waitFor('the key to be known', async () => (await withKey()).status === 200, 60_000);

      for (const each of [line, redisLine]) (how === 'stalled' ? each.silence : each.cut)();
      expect((await root.api.at(others).delete(`${AUTH}/api-keys/${id}`)).status).toBe(204);
      expect((await root.api.at(users).put(`${USERS}/${former.id}/role`, { role: 'user' })).status).toBe(200);
      for (const request of [withKey, asAdmin]) {
        const answer = await waitFor(
          'a 503',
          async () => {
            const response = await request();
            // On a busy machine another 503 may come first: of a database that is slow, say.
            return response.status === 503 && response.body.detail === NOT_KNOWN && response;
          },
          TOO_OLD_MS,
        );
        expect(answer.body).toMatchObject({ code: 'DEPENDENCY_UNAVAILABLE' });
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      expect((await refresh(former)).status).toBe(503);

      (back === 'Redis' ? redisLine : line).restore();
      for (const request of [withKey, asAdmin]) {
        const statuses: number[] = [];
        const known = async () => statuses.push((await request()).status) > 0 && statuses.at(-1) !== 503;
        await waitFor('the feed to be read again', known, 60_000);
        expect([401, 403]).toContain(statuses.at(-1));
      }
      for (const service of [users, others]) {
        const path = service === users ? USERS : `${AUTH}/audit`;
        await waitFor('an answer', async () => (await root.api.at(service).get(path)).status === 200, 60_000);
      }
    },
    120_000,
  );

  it('a process that starts then trusts its copy for ten seconds, no longer', async () => {
    const { id, api } = await createApiKey(root, ['users:write']);
    const me = `${USERS}/me`;
    await waitFor('the key to be known', async () => (await api.at(users).get(me)).status === 200, 60_000);
    for (const each of [line, redisLine]) each.cut();
    expect((await root.api.at(others).delete(`${AUTH}/api-keys/${id}`)).status).toBe(204);
    const late = await users.replica();
    const statusIs = async (expected: number) => (await api.at(late).get(me)).status === expected;
    await waitFor('a 503', () => statusIs(503), TOO_OLD_MS);
    redisLine.restore();
    await waitFor('the key to be refused', () => statusIs(401), 60_000);
    expect((await root.api.at(late).get(USERS)).status).toBe(200);
  }, 120_000);
});
