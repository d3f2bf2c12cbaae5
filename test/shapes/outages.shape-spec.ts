import type { ApiResponse, Problem } from '../support/api-client.js';
import { startOwnRabbitMq, type OwnRabbitMq } from '../support/rabbitmq.js';
import { databaseUri, newDatabaseName, startService, TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const ME = '/api/v1/users/me';
const PATIENCE_MS = 60_000;
/** A client is told within this time that something is away. */
const QUICK_MS = 5000;

interface Health {
  details: Record<string, { status: string; message?: string }>;
}

let broker: OwnRabbitMq;
/** The profiles, and everything else, in processes of their own. */
let users: TestService;
let others: TestService;
let ada: TestUser;

beforeAll(async () => {
  broker = await startOwnRabbitMq();
  users = await startService({ MODULES: 'users', EVENT_BUS: 'rabbitmq', RABBITMQ_URL: broker.url });
  const name = newDatabaseName();
  others = await new TestService(name, {
    ...users.environment,
    MODULES: 'auth,tasks,notifications',
    MONGODB_URI: databaseUri(name),
  }).start();
  ada = await registerUser(others);
  await waitForProfile(ada);
}, 300_000);

async function waitForProfile({ api }: TestUser): Promise<void> {
  await waitFor('the profile', async () => (await api.at(users).get(ME)).status === 200, PATIENCE_MS);
}

async function waitForExport({ api }: TestUser): Promise<void> {
  await waitFor('the export', async () => (await api.at(users).get(`${ME}/export`)).status === 200, PATIENCE_MS);
}

async function expectUnavailable(ask: () => Promise<ApiResponse<unknown>>): Promise<void> {
  const askedAt = Date.now();
  const { status, body, headers } = await ask();
  expect([status, (body as Problem).code]).toEqual([503, 'DEPENDENCY_UNAVAILABLE']);
  expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
  expect(Date.now() - askedAt).toBeLessThan(QUICK_MS);
}

it('answers 503 at once for an export whose other parts are away, and what is there all the same', async () => {
  await waitForExport(ada);
  await others.kill();
  await expectUnavailable(() => ada.api.at(users).get(`${ME}/export`));
  expect((await ada.api.at(users).get(ME)).status).toBe(200);
  await others.start();
  await waitForExport(ada);
});

it('creates the profile of a user who registered while the users module was away', async () => {
  await users.kill();
  const user = await registerUser(others);
  await createTask(user.api.at(others));
  await users.start();
  await waitForProfile(user);
});

it('answers 503 for what the broker has not brought yet, and the rest, until the broker is back', async () => {
  await broker.kill();
  const user = await registerUser(others);
  expect((await user.api.at(others).get(TASKS)).status).toBe(200);
  expect((await ada.api.at(users).get(ME)).status).toBe(200);
  await expectUnavailable(() => user.api.at(users).get(ME));
  await expectUnavailable(() => ada.api.at(users).get(`${ME}/export`));
  await broker.start();
  await waitForProfile(user);
  await waitForExport(ada);
});

it('says in /health and a metric that an alarm of the disk blocks it, and goes on once it is over', async () => {
  await broker.control('set_disk_free_limit', '100000GB');
  const user = await registerUser(others);
  const rabbitmq = async () => {
    const { status, body } = await user.api.at(others).get<Health>('/health');
    expect(status).toBe(200);
    return body.details['rabbitmq'];
  };
  const blocked = await waitFor('it to be shown', async () => (await rabbitmq())?.message, PATIENCE_MS);
  expect(blocked).toContain('low on disk');
  expect((await rabbitmq())?.status).toBe('down');
  expect(await (await fetch(`${others.metricsUrl}/metrics`)).text()).toMatch(/^events_publishing_blocked\S* 1$/m);
  expect((await user.api.at(others).get(TASKS)).status).toBe(200);
  await expectUnavailable(() => user.api.at(users).get(ME));
  await broker.control('set_disk_free_limit', '50MB');
  await waitForProfile(user);
  await waitFor('it to be shown no longer', async () => (await rabbitmq())?.status === 'up', PATIENCE_MS);
});
