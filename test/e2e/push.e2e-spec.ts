import { randomUUID } from 'node:crypto';
import { ObjectId } from 'mongodb';
import webPush from 'web-push';
import type { PageOf, Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { newPushKeys } from '../support/push.js';
import { startService, type TestService } from '../support/service.js';
import { createTask } from '../support/tasks.js';
import { registerVerifiedUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const PUSH = '/api/v1/notifications/push';
const SUBSCRIPTIONS = `${PUSH}/subscriptions`;
const { publicKey, privateKey } = webPush.generateVAPIDKeys();

let service: TestService;
beforeAll(async () => {
  service = await startService({ VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey });
});

const newEndpoint = () => `https://push.example.org/${randomUUID()}`;
const subscription = (endpoint = newEndpoint()) => ({ endpoint, expirationTime: null, keys: newPushKeys() });
const endpointsOf = async ({ id }: TestUser) => {
  const rows = await databaseOf(service)
    .collection('pushsubscriptions')
    .find({ user: new ObjectId(id) })
    .toArray();
  return rows.map(({ endpoint }) => endpoint as string);
};

it('gives browsers the key to subscribe with', async () => {
  const { api } = await registerVerifiedUser(service);
  const { status, body } = await api.get(`${PUSH}/public-key`);
  expect([status, body]).toEqual([200, { publicKey }]);
});

it('says 404 where Web Push is not set up', async () => {
  const { api } = await registerVerifiedUser(service);
  const without = await service.replica({ VAPID_PUBLIC_KEY: undefined, VAPID_PRIVATE_KEY: undefined });
  const answers = [
    await api.at(without).get<Problem>(`${PUSH}/public-key`),
    await api.at(without).post<Problem>(SUBSCRIPTIONS, subscription()),
  ];
  expect(answers.map(({ status, body }) => [status, body.code])).toEqual(Array(2).fill([404, 'NOT_FOUND']));
  await without.stop();
});

describe('a subscription', () => {
  it('is the same for the same endpoint, and belongs to who came with it last', async () => {
    const [first, second] = await Promise.all([registerVerifiedUser(service), registerVerifiedUser(service)]);
    const wanted = subscription();
    const made = await first.api.post<{ id: string }>(SUBSCRIPTIONS, wanted);
    expect([made.status, made.body]).toEqual([201, { id: expect.stringMatching(/^[0-9a-f]{24}$/) as string }]);
    expect((await first.api.post<{ id: string }>(SUBSCRIPTIONS, wanted)).body).toEqual(made.body);
    expect(await endpointsOf(first)).toEqual([wanted.endpoint]);
    expect((await second.api.post<{ id: string }>(SUBSCRIPTIONS, wanted)).body).toEqual(made.body);
    expect([await endpointsOf(first), await endpointsOf(second)]).toEqual([[], [wanted.endpoint]]);
    const path = `${SUBSCRIPTIONS}/${made.body.id}`;
    expect((await first.api.delete(path)).status).toBe(404);
    expect((await second.api.delete(path)).status).toBe(204);
    expect((await second.api.delete(path)).status).toBe(404);
  });

  it('makes room for newer ones beyond twenty, also of those that come at once', async () => {
    const user = await registerVerifiedUser(service);
    const oldest = subscription();
    await user.api.post(SUBSCRIPTIONS, oldest);
    const answers = await Promise.all(Array.from({ length: 24 }, () => user.api.post(SUBSCRIPTIONS, subscription())));
    expect(answers.every(({ status }) => status === 201)).toBe(true);
    const endpoints = await endpointsOf(user);
    expect(endpoints).toHaveLength(20);
    expect(endpoints).not.toContain(oldest.endpoint);
  });

  it.each([
    ['endpoint', { endpoint: 'http://push.example.org/1' }],
    ['endpoint', { endpoint: 'https://push.example.org:8443/1' }],
    ['endpoint', { endpoint: 'https://user:pass@push.example.org/1' }],
    ['endpoint', { endpoint: 'https://localhost/' }],
    ['endpoint', { endpoint: 'https://metadata.google.internal/' }],
    ['endpoint', { endpoint: 'https://redis/' }],
    ['endpoint', { endpoint: 'https://127.0.0.1/' }],
    ['endpoint', { endpoint: 'https://0x7f000001/' }],
    ['endpoint', { endpoint: 'https://[::1]/' }],
    ['endpoint', { endpoint: 'https://[::ffff:169.254.169.254]/' }],
    ['endpoint', { endpoint: 'https://[64:ff9b::a9fe:a9fe]/' }],
    ['endpoint', { endpoint: 'https://169.254.169.254/latest/meta-data' }],
    ['endpoint', { endpoint: `https://push.example.org/${'x'.repeat(2000)}` }],
    ['endpoint', { endpoint: 'push' }],
    ['keys.p256dh', { keys: { ...newPushKeys(), p256dh: 'BA' } }],
    ['keys.p256dh', { keys: { ...newPushKeys(), p256dh: Buffer.alloc(65, 4).toString('base64url') } }],
    ['keys.auth', { keys: { ...newPushKeys(), auth: 'short' } }],
    ['keys', { keys: undefined }],
    ['expirationTime', { expirationTime: -1 }],
    ['expirationTime', { expirationTime: 1e17 }],
  ])('is refused for its %s: %j', async (field, wrong) => {
    const { api } = await registerVerifiedUser(service);
    const { status, body } = await api.post<Problem>(SUBSCRIPTIONS, { ...subscription(), ...wrong });
    expect([status, body.errors?.map((error) => error.field)]).toEqual([400, [field]]);
  });

  it('gets a delivery of its own for each notification, which tells nothing of the names inside our network', async () => {
    const user = await registerVerifiedUser(service);
    const missing = subscription(`https://${randomUUID()}.example.org/`);
    const local = subscription();
    for (const each of [missing, local]) expect((await user.api.post(SUBSCRIPTIONS, each)).status).toBe(201);
    // Past the checks of the route, as a name would be that leads there by now.
    await databaseOf(service)
      .collection('pushsubscriptions')
      .updateOne({ endpoint: local.endpoint }, { $set: { endpoint: 'https://localhost/' } });
    await createTask(user.api, { title: 'Pushed', status: 'done' });
    const [notification] = await waitFor('the notification', async () => {
      const { body } = await user.api.get<PageOf<{ id: string }>>('/api/v1/notifications');
      return body.data.length > 0 && body.data;
    });
    const pushed = await waitFor('both to have failed', async () => {
      const path = `/api/v1/notifications/${notification?.id}/deliveries`;
      const { body } = await user.api.get<PageOf<{ channel: string; lastError: string | null }>>(path);
      const deliveries = body.data.filter(({ channel }) => channel === 'push');
      return deliveries.length === 2 && deliveries.every(({ lastError }) => lastError) && deliveries;
    });
    const failure = {
      state: 'pending',
      lastError: 'The service that carries these messages could not be reached.',
      deliveredAt: null,
    };
    expect(pushed).toEqual([expect.objectContaining(failure), expect.objectContaining(failure)]);
  });

  it('is exported without its keys, and erased with its user', async () => {
    const user = await registerVerifiedUser(service);
    const { endpoint, keys } = subscription();
    await user.api.post(SUBSCRIPTIONS, { endpoint, keys });
    const { body } = await user.api.get('/api/v1/users/me/export');
    expect(JSON.stringify(body)).toContain(endpoint);
    expect(JSON.stringify(body)).not.toContain(keys.auth);
    await user.api.send('DELETE', '/api/v1/users/me', { password: user.password });
    await waitFor('it to be erased', async () => (await endpointsOf(user)).length === 0);
  });
});
