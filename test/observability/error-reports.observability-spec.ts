import { randomBytes } from 'node:crypto';
import { ApiClient } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { type StandIn, startStandIn } from '../support/http-stand-in.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

interface SentryEvent {
  exception: { values: { type: string; value: string; stacktrace: { frames: { filename: string }[] } }[] };
  contexts: { trace: { trace_id: string } };
  tags: Record<string, string>;
  user?: object;
}

const TITLE = 'Buy a very secret present';
/** A mistake of ours that a signal brings out. */
const CRASHES = `data:text/javascript,process.on('SIGUSR2',()=>{throw new RangeError('no "${TITLE}" of ada@example.org')})`;

let sentry: StandIn;
let service: TestService;
let user: TestUser;

/** What has been reported: the second line after the header of each envelope with an event (develop.sentry.dev/sdk/envelopes). */
const reports = (): SentryEvent[] =>
  sentry.received
    .filter(({ path }) => path.includes('/envelope/'))
    .map(({ body }) => body.split('\n'))
    .filter(([, item]) => (JSON.parse(item as string) as { type: string }).type === 'event')
    .map(([, , event]) => JSON.parse(event as string) as SentryEvent);
const reportOf = (type: string) =>
  waitFor(`a report of a ${type}`, () => reports().find(({ exception }) => exception.values[0]?.type === type));

beforeAll(async () => {
  sentry = await startStandIn(() => ({ status: 200, body: '{}' }));
  service = await startService({
    SENTRY_DSN: sentry.url.replace('://', '://publickey@') + '/42',
    OTEL_EXPORTER_OTLP_ENDPOINT: sentry.url,
    NODE_OPTIONS: `--import=${CRASHES.replaceAll(' ', '%20').replaceAll('"', '%22')}`,
  });
  user = await registerUser(service);
});
afterAll(() => sentry.close());

it('reports a fault of ours with type, stack, release, environment, user and trace', async () => {
  await databaseOf(service).collection('tasks').createIndex({ title: 1 }, { unique: true });
  await createTask(user.api, { title: TITLE });
  const traceId = randomBytes(16).toString('hex');
  const headers = { traceparent: `00-${traceId}-${randomBytes(8).toString('hex')}-01`, Cookie: 'a=secret' };
  const { status } = await user.api.post(`${TASKS}?token=secret`, { title: TITLE }, headers);
  expect(status).toBe(400); // an unknown parameter is nobody's fault but the client's
  expect((await user.api.post(TASKS, { title: TITLE }, headers)).status).toBe(500);

  const report = await reportOf('MongoBulkWriteError');
  expect(report).toMatchObject({
    level: 'error',
    environment: 'test',
    release: 'scalable-api@0.1.0',
    user: { id: user.id },
    contexts: { trace: { trace_id: traceId } },
    tags: { context: 'ProblemFilter' },
  });
  const [{ value, stacktrace }] = report.exception.values as [SentryEvent['exception']['values'][0]];
  expect(value).toMatch(/^E11000 duplicate key.*\[value\]/);
  expect(stacktrace.frames.map(({ filename }) => filename).join()).toContain('/mongodb/');
});

it('reports work that is parked', async () => {
  await databaseOf(service)
    .collection('outbox')
    .insertOne({
      event: {
        type: 'tasks.task-completed.v1',
        id: 'poison',
        subject: user.id,
        data: { userId: user.email, title: TITLE },
      },
      state: 'ready',
      availableAt: new Date(),
      createdAt: new Date(),
      attempts: 19,
      lease: null,
      lastError: null,
    });
  const { tags } = await waitFor('the report', () =>
    reports().find((report) => report.tags['context'] !== 'ProblemFilter'),
  );
  expect(tags['context']).toBe('WorkQueue:outbox');
});

it('reports no refusal, and no dependency that is away', async () => {
  const before = reports().length;
  const late = await registerUser(service);
  await waitFor('the profile', async () => (await late.api.get('/api/v1/users/me')).status === 200);
  await databaseOf(service).collection('users').deleteMany({ email: late.email });
  expect((await late.api.get('/api/v1/users/me')).status).toBe(503);
  expect((await new ApiClient(service).get(TASKS)).status).toBe(401);
  expect((await user.api.post(TASKS, '{')).status).toBe(400);
  expect((await user.api.get('/nowhere')).status).toBe(404);
  // Reports go out in order: had there been one, it would be here.
  expect((await user.api.post(TASKS, { title: TITLE })).status).toBe(500);
  await waitFor('the next fault', () => reports().length > before);
  expect(
    reports()
      .slice(before)
      .map(({ tags }) => tags['context']),
  ).toEqual(['ProblemFilter']);
});

it('reports its own crash, then ends', async () => {
  service.signal('SIGUSR2');
  expect(await service.waitForExit()).toBe(1);
  expect(await reportOf('RangeError')).toMatchObject({ exception: { values: [{ value: 'no [value] of [email]' }] } });
});

it('says nothing of users and requests', () => {
  const envelopes = sentry.received.filter(({ path }) => path.includes('/envelope/')).map(({ body }) => body);
  const { name, email, password, tokens } = user;
  const secrets = [
    name,
    email,
    'ada@',
    password,
    tokens.accessToken,
    tokens.refreshToken,
    TITLE,
    'secret',
    '127.0.0.1',
    TASKS,
  ];
  const everything = envelopes.join();
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  const members = new Set(reports().flatMap((report) => Object.keys(report)));
  expect([...members].sort().join(' ')).toBe(
    'contexts environment event_id exception level platform release sdk tags timestamp user',
  );
});
