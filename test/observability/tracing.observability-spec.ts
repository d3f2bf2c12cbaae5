import { ApiClient } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { freePort } from '../../local/ports.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { startShape } from '../support/shape.js';
import { type EnvironmentOverrides, startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { newRegistration, registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { TracingCaller } from './support/caller.js';
import { type OtlpReceiver, startOtlpReceiver } from './support/otlp-receiver.js';

const REGISTER = '/api/v1/auth/register';
const TITLE = 'Buy a very secret present';
/** Sent as soon as possible, not in batches of five seconds. */
const SOON = { OTEL_BSP_SCHEDULE_DELAY: '100' };

let receiver: OtlpReceiver;
beforeAll(async () => {
  receiver = await startOtlpReceiver();
});

const toReceiver = (overrides: EnvironmentOverrides = {}) => ({
  OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
  ...SOON,
  ...overrides,
});

/**
 * Registers, confirms the address, and completes a task, of which a mail tells.
 *
 * @param notifier the process that sends mails
 * @returns whatever no span may show
 */
async function fromRequestsToMails(url: string, notifier: TestService, caller: TracingCaller): Promise<string[]> {
  const registration = newRegistration({ name: 'Ada Secretive' });
  const registered = new ApiClient({ url });
  const { body } = await registered.post<{ accessToken: string; refreshToken: string }>(REGISTER, registration);
  const token = tokenIn(await mailTo(registration.email));
  const api = new ApiClient({ url }, body.accessToken);
  await api.post('/api/v1/auth/email/verify', { token });
  const task = await createTask(api, { title: TITLE });
  const contacts = databaseOf(notifier).collection('contacts');
  await waitFor('the verified address', () => contacts.findOne({ email: registration.email, emailVerified: true }));
  const { status } = await api.patch(`${TASKS}/${task.id}`, { status: 'done' }, caller.headers);
  expect(status).toBe(200);
  await mailTo(registration.email, ({ text }) => text.includes(TITLE));
  const { name, email, password } = registration;
  return [name, email, password, body.accessToken, body.refreshToken, token, TITLE, '127.0.0.1'];
}

describe('one process', () => {
  let service: TestService;
  let caller: TracingCaller;
  let secrets: string[];

  beforeAll(async () => {
    service = await startService(toReceiver({ OTEL_METRICS_EXPORTER: 'otlp', OTEL_SERVICE_NAME: 'the-service' }));
    caller = new TracingCaller(receiver);
    secrets = await fromRequestsToMails(service.url, service, caller);
  }, 400_000);

  it('makes one tree of a request and what follows from it, down to the mail', async () => {
    const spans = await caller.treeWith('send email');
    expect(caller.pathTo('send email')).toEqual([
      'send email',
      'process email',
      'handle NotificationsListener.onTaskCompleted',
      'process outbox',
      'PATCH /api/v1/tasks/:id',
    ]);
    expect(new Set(spans.map(({ kind }) => kind)).size).toBe(4);
  });

  it('shows what was asked of MongoDB and Redis, and of whom', () => {
    const [update] = caller.spans.filter(({ name }) => name === 'insert outbox');
    expect(update?.attributes).toEqual({
      'db.system.name': 'mongodb',
      'db.namespace': service.databaseName,
      'db.operation.name': 'insert',
      'db.collection.name': 'outbox',
    });
    const redis = caller.spans.filter(({ attributes }) => attributes?.['db.system.name'] === 'redis');
    expect(redis.map(({ name }) => name)).toContainEqual(expect.stringMatching(/^EVAL(SHA)?$/));
    expect(update?.resource).toMatchObject({ 'service.name': 'the-service', 'service.version': /./ });
  });

  it('shows nothing that users say, are called or may do', () => {
    const everything = JSON.stringify(receiver.spans);
    expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  });

  it('says in the log to which trace a line belongs', async () => {
    const [request] = caller.spans.filter(({ kind }) => kind === 'SPAN_KIND_SERVER');
    const line = await waitFor('the line', () =>
      service.logLines().find(({ msg, route, method }) => msg === 'request' && method === 'PATCH' && route),
    );
    expect(line).toMatchObject({ trace_id: request?.traceId, span_id: request?.spanId });
  });

  it('sends the metrics that Prometheus would see, once more when it ends', async () => {
    expect(await service.stop()).toBe(0);
    const requests = receiver.metrics.find(({ name }) => name === 'http_request_duration_seconds');
    const histogram = requests?.histogram?.dataPoints.find(({ attributes }) => attributes?.['route'] === REGISTER);
    if (!histogram) throw new Error(`nothing of ${REGISTER} has arrived`);
    expect(histogram).toMatchObject({ count: '1', attributes: { method: 'POST', status: 201 } });
    expect(histogram.bucketCounts.map(Number).reduce((sum, count) => sum + count)).toBe(1);
    expect(histogram.explicitBounds).toHaveLength(histogram.bucketCounts.length - 1);
    const work = receiver.metrics.find(({ name }) => name === 'work_finished_total');
    expect(work?.sum).toMatchObject({ isMonotonic: true });
    expect(receiver.metrics.find(({ name }) => name === 'nodejs_heap_size_used_bytes')?.gauge).toBeDefined();
  });
});

it('makes one tree across services and the broker', async () => {
  const broker = await startOwnRabbitMq();
  const { url, processes } = await startShape('split', toReceiver({ RABBITMQ_URL: broker.url }));
  const caller = new TracingCaller(receiver);
  const secrets = await fromRequestsToMails(url, processes.at(-1) as TestService, caller);
  const spans = await caller.treeWith('send email');
  expect(caller.pathTo('send email')).toEqual([
    'send email',
    'process email',
    'handle NotificationsListener.onTaskCompleted',
    'process scalable-api.notifications',
    'publish tasks.task-completed.v1',
    'process outbox',
    'PATCH /api/v1/tasks/:id',
  ]);
  expect(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size).toBe(2);

  const asking = new TracingCaller(receiver);
  const asker = await registerUser({ url });
  expect((await asker.api.get('/api/v1/users/me/export', asking.headers)).status).toBe(200);
  for (const answer of ['answer scalable-api.tasks.exports', 'answer scalable-api.notifications.exports']) {
    await asking.treeWith(answer);
    expect(asking.pathTo(answer)).toEqual([answer, 'GET /api/v1/users/me/export']);
  }

  const everything = JSON.stringify(receiver.spans);
  expect(secrets.filter((secret) => everything.includes(secret))).toEqual([]);
  for (const process of processes) await process.stop();
}, 400_000);

describe('what is traced', () => {
  /** The names of the requests that a process has recorded once it has ended, when nothing is sent before. */
  async function recorded(overrides: EnvironmentOverrides, work: (service: TestService) => Promise<void>) {
    const service = await startService(toReceiver({ ...overrides, OTEL_BSP_SCHEDULE_DELAY: '600000' }));
    const before = receiver.spans.length;
    await work(service);
    expect(receiver.spans).toHaveLength(before);
    expect(await service.stop()).toBe(0);
    const requests = receiver.spans.slice(before).filter(({ kind }) => kind === 'SPAN_KIND_SERVER');
    return requests.map(({ name, traceId }) => ({ name, traceId }));
  }
  const get = (service: TestService, path: string, traceparent: string) =>
    new ApiClient(service).get(path, { traceparent });
  const SPAN_ID = '00f067aa0ba902b7';
  /** The least id of all: one that any ratio but 0 would take. */
  const LEAST_ID = `${'0'.repeat(31)}1`;

  it("is what the sampler says, without probes, whatever a client's traceparent asks for", async () => {
    const all = await recorded({}, async (service) => {
      await get(service, '/health/ready', `00-${'a'.repeat(32)}-${SPAN_ID}-01`);
      await get(service, '/.well-known/jwks.json', `00-${'b'.repeat(32)}-${SPAN_ID}-00`);
    });
    expect(all).toEqual([{ name: 'GET /.well-known/jwks.json', traceId: 'b'.repeat(32) }]);
  });

  it.each(['parentbased_traceidratio', 'traceidratio'])(
    'is nothing of a client that asks for it where %s takes almost nothing',
    async (sampler) => {
      const ratio = { OTEL_TRACES_SAMPLER: sampler, OTEL_TRACES_SAMPLER_ARG: '0.000000001' };
      const some = await recorded(ratio, async (service) => {
        for (const id of [LEAST_ID, 'a'.repeat(32)]) {
          await get(service, '/.well-known/jwks.json', `00-${id}-${SPAN_ID}-01`);
        }
      });
      expect(some).toEqual([]);
    },
  );
});

it('goes on without a receiver, says so once, and ends in good order', async () => {
  const nobody = `http://127.0.0.1:${await freePort()}`;
  const service = await startService(
    toReceiver({ OTEL_EXPORTER_OTLP_ENDPOINT: nobody, OTEL_EXPORTER_OTLP_TIMEOUT: '200' }),
  );
  const complaints = () => service.logLines().filter(({ msg }) => String(msg).includes("can't be sent"));
  const api = new ApiClient(service);
  await waitFor('a complaint', async () => {
    expect((await api.get('/.well-known/jwks.json')).status).toBe(200);
    return complaints().length > 0;
  });
  for (let round = 0; round < 100; round++) expect((await api.get('/.well-known/jwks.json')).status).toBe(200);
  expect(await service.stop()).toBe(0);
  expect(complaints()).toEqual([
    expect.objectContaining({ level: 'warn', msg: expect.stringContaining('ECONNREFUSED') as string }),
  ]);
});
