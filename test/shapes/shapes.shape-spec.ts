import { createPublicKey, verify } from 'node:crypto';
import { type Shape, SHAPES } from '../../local/shapes.js';
import type { CloudEvent } from '../../src/contracts/event.js';
import { MANIFESTS } from '../../src/modules.js';
import { ApiClient, type PageOf, type Problem } from '../support/api-client.js';
import { EventContracts } from '../support/asyncapi.js';
import { databaseOf } from '../support/database.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { collectEvents } from '../support/published-events.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { type RunningShape, startShape } from '../support/shape.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import {
  createAdmin,
  createApiKey,
  deleteUser,
  logIn,
  registerUser,
  registerVerifiedUser,
  setRole,
  type TestUser,
} from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const AUTH = '/api/v1/auth';
const USERS = '/api/v1/users';
const ME = `${USERS}/me`;
const NOTIFICATIONS = '/api/v1/notifications';
/** A route of each module that every user may ask. */
const EVERYWHERE = [`${AUTH}/sessions`, ME, `${TASKS}/stats`, NOTIFICATIONS];
/** The modules that hold something of a person. */
const HOLDERS = MANIFESTS.filter(({ personalData }) => personalData !== null)
  .map(({ name }) => name)
  .sort();
/** How long the end of a session may take to be known everywhere. */
const EVERYWHERE_MS = 1000;
/** More requests than there are instances, so that each gets some. */
const ROUNDS = 6;

interface NotificationBody {
  id: string;
  event: string;
  data: { taskId?: string };
}

describe.each(Object.keys(SHAPES) as Shape[])('the service as %s', (shape) => {
  let service: RunningShape;
  let ada: TestUser;
  let admin: TestUser;
  /** What goes through the broker, where there is one. */
  let published: CloudEvent[] | undefined;

  beforeAll(async () => {
    const broker = shape === 'split' ? await startOwnRabbitMq() : undefined;
    if (broker) published = await collectEvents(broker.url);
    service = await startShape(shape, { RABBITMQ_URL: broker?.url });
    admin = await createAdmin(service);
    ada = await registerUser(service);
  }, 400_000);
  afterAll(async () => {
    await Promise.all(service.processes.map((each) => each.stop()));
  }, 60_000);

  async function statusesOf(api: ApiClient): Promise<number[]> {
    const asked = Array.from({ length: ROUNDS }, () => EVERYWHERE.map((path) => api.get(path)));
    return (await Promise.all(asked.flat())).map(({ status }) => status);
  }
  async function expectRefusedEverywhere(api: ApiClient, withinMs?: number): Promise<void> {
    const refused = async () => (await statusesOf(api)).every((status) => status === 401);
    await waitFor('401 on every route of every instance', refused, withinMs);
  }
  async function expectAcceptedEverywhere(api: ApiClient): Promise<void> {
    await waitFor('200 everywhere', async () => (await statusesOf(api)).every((status) => status === 200));
  }
  const notificationsOf = async ({ api }: TestUser, event: string) => {
    const { body } = await api.get<PageOf<NotificationBody>>(`${NOTIFICATIONS}?limit=100`);
    return body.data.filter((each) => each.event === event);
  };

  it('has a profile right after the registration, which a verified address reaches', async () => {
    const user = await registerUser(service);
    const { status, body } = await user.api.get<{ email: string; emailVerified: boolean }>(ME);
    expect([status, body]).toMatchObject([200, { email: user.email, emailVerified: false }]);
    const token = tokenIn(await mailTo(user.email));
    expect((await user.api.post(`${AUTH}/email/verify`, { token })).status).toBe(204);
    await waitFor('the profile to follow', async () => {
      return (await user.api.get<{ emailVerified: boolean }>(ME)).body.emailVerified;
    });
  });

  it('signs tokens that anybody can verify', async () => {
    const { body } = await new ApiClient(service).get<{ keys: object[] }>('/.well-known/jwks.json');
    const key = createPublicKey({ key: body.keys[0] as Record<string, string>, format: 'jwk' });
    const [header, payload, signature] = ada.tokens.accessToken.split('.') as [string, string, string];
    const signed = { key, dsaEncoding: 'ieee-p1363' } as const;
    expect(verify('sha256', Buffer.from(`${header}.${payload}`), signed, Buffer.from(signature, 'base64url'))).toBe(
      true,
    );
  });

  it('keeps tasks: versions, lists, statistics, and nobody else sees them', async () => {
    const task = await createTask(ada.api, { title: 'Difference engine', priority: 'high', tags: ['work'] });
    const read = await ada.api.get<TaskBody>(`${TASKS}/${task.id}`);
    const etag = String(read.headers.get('etag'));
    expect((await ada.api.get(`${TASKS}/${task.id}`, { 'If-None-Match': etag })).status).toBe(304);
    const change = (title: string) => ada.api.patch<TaskBody>(`${TASKS}/${task.id}`, { title }, { 'If-Match': etag });
    expect((await change('Analytical engine')).body.title).toBe('Analytical engine');
    expect((await change('Too late')).status).toBe(412);
    for (let round = 0; round < ROUNDS; round++) {
      const { body } = await ada.api.get<PageOf<TaskBody>>(`${TASKS}?priority=high&tag=work`);
      expect(body.data.map(({ title }) => title)).toEqual(['Analytical engine']);
      expect((await ada.api.get<{ total: number }>(`${TASKS}/stats`)).body.total).toBe(1);
    }
    expect((await admin.api.get(`${TASKS}/${task.id}`)).status).toBe(404);
    expect((await ada.api.delete(`${TASKS}/${task.id}`)).status).toBe(204);
    expect((await ada.api.get<{ total: number }>(`${TASKS}/stats`)).body.total).toBe(0);
  });

  it('carries a creation with an Idempotency-Key out once', async () => {
    const key = { 'Idempotency-Key': `once in ${shape}` };
    const first = await ada.api.post<TaskBody>(TASKS, { title: 'Once' }, key);
    const again = await ada.api.post<TaskBody>(TASKS, { title: 'Once' }, key);
    expect([first.status, again.status, again.body.id]).toEqual([201, 201, first.body.id]);
    expect(again.headers.get('idempotency-replayed')).toBe('true');
  });

  it('notifies of a completed task once, and of none once that is muted', async () => {
    const user = await registerUser(service);
    const complete = async (title: string) => {
      const { id } = await createTask(user.api, { title });
      expect((await user.api.patch(`${TASKS}/${id}`, { status: 'done' })).status).toBe(200);
      return id;
    };
    const told = await complete('Told of');
    const [notification] = await waitFor('the notification', async () => {
      const all = await notificationsOf(user, 'task.completed');
      return all.length > 0 && all;
    });
    expect(notification?.data.taskId).toBe(told);
    expect((await user.api.get(`${NOTIFICATIONS}/unread-count`)).body).toEqual({ count: 1 });
    expect((await user.api.patch(`${NOTIFICATIONS}/${notification?.id}`, { read: true })).status).toBe(200);
    expect((await user.api.get(`${NOTIFICATIONS}/unread-count`)).body).toEqual({ count: 0 });

    const preferences = (await user.api.get<Record<string, unknown>>(`${ME}/preferences`)).body;
    const muted = { ...preferences, mutedEvents: ['task.completed'] };
    expect((await user.api.put(`${ME}/preferences`, muted)).status).toBe(200);
    await waitFor('the preference to have arrived', async () => {
      const before = (await notificationsOf(user, 'task.completed')).length;
      await complete('Muted, sooner or later');
      await logIn(service, user); // tells of itself, later than of the task
      const logins = (await notificationsOf(user, 'account.new-login')).length;
      await waitFor('the log-in', async () => (await notificationsOf(user, 'account.new-login')).length > logins);
      return (await notificationsOf(user, 'task.completed')).length === before;
    });
  });

  it.each<[string, (user: TestUser) => Promise<{ status: number }>]>([
    ['logging out', ({ api }) => api.post(`${AUTH}/logout`)],
    ['logging out everywhere', ({ api }) => api.post(`${AUTH}/logout-all`)],
    ['deleting the account', ({ api, password }) => api.send('DELETE', ME, { password })],
  ])('%s counts everywhere within a second', async (_, end) => {
    const user = await registerUser(service);
    await expectAcceptedEverywhere(user.api);
    expect((await end(user)).status).toBe(204);
    await expectRefusedEverywhere(user.api, EVERYWHERE_MS);
    expect((await statusesOf(user.api)).every((status) => status === 401)).toBe(true);
  });

  it('being deleted by an administrator counts everywhere soon', async () => {
    const user = await registerUser(service);
    await expectAcceptedEverywhere(user.api);
    expect((await deleteUser(admin, user)).status).toBe(204);
    await expectRefusedEverywhere(user.api);
  });

  it('gives and takes roles, which count everywhere', async () => {
    const user = await registerUser(service);
    await waitFor('the profile', async () => (await user.api.get(ME)).status === 200);
    const become = async (role: string) => {
      expect((await setRole(admin, user, role)).status).toBe(200);
    };
    await become('manager');
    const manager = await waitFor('a token of a manager', async () => {
      const again = await logIn(service, user);
      return again.tokens.user.role === 'manager' && again;
    });
    await waitFor('the list', async () => (await manager.api.get(USERS)).status === 200);
    await become('user');
    const powerless = async () => (await manager.api.get(USERS)).status === 401;
    await waitFor('the old role to stop working', powerless, EVERYWHERE_MS);
  });

  it('knows API keys everywhere, for what they are for, until they are removed', async () => {
    const user = await registerVerifiedUser(service);
    const { id, api: script } = await createApiKey(user, ['tasks:read', 'notifications:read']);
    const reads = [TASKS, NOTIFICATIONS];
    const all = async (status: number) =>
      (await Promise.all(reads.map((path) => script.get(path)))).every((answer) => answer.status === status);
    await waitFor('the key to be known', () => all(200));
    expect((await script.post(TASKS, { title: 'Not allowed' })).status).toBe(403);
    expect((await script.get(ME)).status).toBe(403);
    await waitFor('its use to be shown', async () => {
      const { body } = await user.api.get<{ data: { id: string; lastUsedAt: string | null }[] }>(`${AUTH}/api-keys`);
      return body.data.find((each) => each.id === id)?.lastUsedAt;
    });
    expect((await user.api.delete(`${AUTH}/api-keys/${id}`)).status).toBe(204);
    await waitFor('the key to stop working', () => all(401), EVERYWHERE_MS);
  });

  it('exports what every module holds', async () => {
    const user = await registerUser(service);
    await createTask(user.api, { title: 'Mine alone' });
    await waitFor('the contact', async () => {
      const { status, body } = await user.api.get<{ data: Record<string, object> }>(`${ME}/export`);
      if (status !== 200) return false;
      expect(Object.keys(body.data).sort()).toEqual(HOLDERS);
      expect(body.data['auth']).toMatchObject({ account: { email: user.email } });
      expect(body.data['tasks']).toMatchObject({ tasks: [{ title: 'Mine alone' }] });
      return JSON.stringify(body.data['notifications']).includes(user.email);
    });
  });

  it('erases a person from every database', async () => {
    const user = await registerUser(service);
    await createTask(user.api, { title: 'To be forgotten' });
    await waitFor('the profile', async () => (await user.api.get(ME)).status === 200);
    const tag = String((await user.api.get(ME)).headers.get('etag'));
    const removeIf = (condition: string) =>
      user.api.send('DELETE', ME, { password: user.password }, { 'If-Match': condition });
    expect((await removeIf('"999"')).status).toBe(412);
    expect((await removeIf(tag)).status).toBe(204);
    await waitFor('nothing to be left', async () => {
      for (const each of service.processes) {
        const database = databaseOf(each);
        for (const { name } of await database.listCollections().toArray()) {
          const found = JSON.stringify(await database.collection(name).find().toArray());
          if (found.includes(user.email) || found.includes('To be forgotten')) return false;
        }
      }
      return true;
    });
    const { status } = await new ApiClient(service).post(`${AUTH}/login`, {
      email: user.email,
      password: user.password,
    });
    expect(status).toBe(401);
  });

  it('keeps the audit trail for administrators', async () => {
    const { body } = await admin.api.get<PageOf<{ event: string }>>(`${AUTH}/audit?limit=100`);
    expect(body.data.map(({ event }) => event)).toContain('role.changed');
    expect((await ada.api.get<Problem>(`${AUTH}/audit`)).body.code).toBe('FORBIDDEN');
  });

  it('shows one OpenAPI document, whichever process is asked', async () => {
    const documents = await Promise.all(
      [service, ...service.processes].map(async (each) => {
        const { body } = await new ApiClient(each).get<{ paths: object }>('/docs/openapi.json');
        return Object.keys(body.paths).sort();
      }),
    );
    for (const paths of documents) expect(paths).toEqual(documents[0]);
    for (const path of [`${AUTH}/login`, ME, TASKS, NOTIFICATIONS]) expect(documents[0]).toContain(path);
  });

  it('reports its health', async () => {
    const { status, body } = await new ApiClient(service).get<{ details: object }>('/health');
    const broker = shape === 'split' ? { rabbitmq: { status: 'up' } } : {};
    expect([status, body.details]).toMatchObject([
      200,
      { mongodb: { status: 'up' }, redis: { status: 'up' }, ...broker },
    ]);
  });

  it('publishes events as they are documented, by a broker', () => {
    const contracts = new EventContracts();
    expect((published ?? []).flatMap((event) => contracts.problemsOf(event))).toEqual([]);
    const types = new Set(published?.map(({ type }) => type));
    if (shape === 'split') expect(types.size).toBeGreaterThan(12);
  });
});
