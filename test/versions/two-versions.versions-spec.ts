import { ApiClient, type PageOf } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailTo } from '../support/mail.js';
import { databaseUri, environmentFor, newDatabaseName, runCli, TestService } from '../support/service.js';
import { TASKS, type TaskBody } from '../support/tasks.js';
import { allowCodeAgain, codeOf } from '../support/totp.js';
import { logIn, registerVerifiedUser, type TestUser, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { buildPreviousRelease, type PreviousRelease } from './previous-release.js';
import { type Person, Traffic } from './traffic.js';

const ROUNDS = 10;
const SETTLING_MS = 120_000;

const name = newDatabaseName();
/** In production no process changes the database by itself. The mail server of the tests offers no TLS. */
const environment = { ...environmentFor(name), NODE_ENV: 'production', SMTP_TLS: 'optional' };
let previous: PreviousRelease;

beforeAll(() => {
  previous = buildPreviousRelease();
}, 600_000);
afterAll(() => previous?.remove());

const startPrevious = () => new TestService(name, environment, previous.root).start();

/** An instance of this release, which a load balancer would send requests to. */
async function startCurrent(): Promise<TestService> {
  const service = await new TestService(name, environment).start();
  expect((await new ApiClient(service).get('/health/ready')).status).toBe(200);
  return service;
}

async function migrate(...options: string[]): Promise<void> {
  const { code, output } = await runCli({ environment }, ['migrate', ...options]);
  expect({ code, output }).toMatchObject({ code: 0 });
}

/** Every event has been handled, and every mail sent; none was given up. */
async function settle(): Promise<void> {
  const database = databaseOf({ mongodbUri: databaseUri(name) });
  await waitFor(
    'all events to be handled, and all mails to be sent',
    async () => {
      const events = await database.collection('outbox').countDocuments();
      const deliveries = await database.collection('deliveries').countDocuments({ state: { $ne: 'done' } });
      return events + deliveries === 0;
    },
    SETTLING_MS,
  );
}

/** What an instance shows of what was acknowledged to a user. */
async function shownTo(person: Person, service: TestService) {
  const { api, id } = await logIn(service, person);
  const profile = await api.get<{ name: string; email: string }>('/api/v1/users/me');
  const tasks = await api.get<PageOf<TaskBody & { version: number }>>(`${TASKS}?limit=100`);
  const inbox = await api.get<PageOf<{ event: string; data: { taskId: string } }>>('/api/v1/notifications?limit=100');
  return {
    id,
    name: profile.body.name,
    email: profile.body.email,
    tasks: tasks.body.data.map((task) => [task.id, `"${task.version}"`, task.title, task.status]),
    completed: inbox.body.data.flatMap(({ event, data }) => (event === 'task.completed' ? [data.taskId] : [])),
  };
}

/** Sets up a second factor. @returns its secret */
async function setUpSecondFactor({ api, password }: TestUser): Promise<string> {
  const { body } = await api.post<{ secret: string }>('/api/v1/auth/mfa/totp', { password });
  const confirmed = await api.post('/api/v1/auth/mfa/totp/confirm', { code: codeOf(body.secret) });
  expect(confirmed).toMatchObject({ status: 200 });
  return body.secret;
}

async function logInWithCode(service: TestService, user: TestUser, secret: string): Promise<void> {
  await allowCodeAgain(service, user);
  const api = new ApiClient(service);
  const { email, password } = user;
  const { body } = await api.post<{ mfaToken: string }>('/api/v1/auth/login', { email, password });
  const second = { mfaToken: body.mfaToken, code: codeOf(secret) };
  expect(await api.post<Tokens>('/api/v1/auth/login/mfa', second)).toMatchObject({ status: 200 });
}

function acknowledgedTo({ id, name, email, tasks }: Person) {
  return {
    id,
    name,
    email,
    tasks: tasks.map((task) => [task.id, task.etag, task.title, task.status]),
    completed: tasks.filter(({ status }) => status === 'done').map((task) => task.id),
  };
}

it('an upgrade, a way back and another upgrade under load lose no request, no data and no event', async () => {
  const traffic = new Traffic();
  // The previous release makes its database itself.
  expect(await runCli({ environment }, ['sync-indexes'], {}, previous.root)).toMatchObject({ code: 0 });
  const first = await startPrevious();
  await traffic.through([first], ROUNDS);

  await migrate();
  await traffic.through([first], ROUNDS);
  const second = await startCurrent();
  await traffic.through([first, second], 2 * ROUNDS);
  await traffic.through([second], ROUNDS);
  await first.stop();
  const guarded = await registerVerifiedUser(second);
  const secret = await setUpSecondFactor(guarded);

  const back = await startPrevious();
  await traffic.through([second, back], 2 * ROUNDS);
  await traffic.through([back], ROUNDS);
  await second.stop();
  await logInWithCode(back, guarded, secret);

  await migrate();
  const last = await startCurrent();
  await traffic.through([back, last], ROUNDS);
  await traffic.through([last], ROUNDS);
  await back.stop();
  await migrate('--contract');
  await logInWithCode(last, guarded, secret);
  await traffic.through([last], ROUNDS);
  await traffic.stop();

  process.stdout.write(`${traffic.requests} requests by ${traffic.people.length} users\n`);
  expect(traffic.problems).toEqual([]);
  await settle();
  for (const person of traffic.people) {
    expect(await shownTo(person, last)).toEqual(acknowledgedTo(person));
    await mailTo(person.email, ({ text }) => text.includes('/verify-email#'));
  }
  expect((await runCli({ environment }, ['migrate', '--check'])).output).toBe('Nothing is pending.\n');
});
