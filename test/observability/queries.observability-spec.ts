import { setTimeout as delay } from 'node:timers/promises';
import { ApiClient } from '../support/api-client.js';
import { LiveClient } from '../support/live-client.js';
import { mailsTo } from '../support/mail.js';
import { startOwnRabbitMq } from '../support/rabbitmq.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS } from '../support/tasks.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';
import { dashboardQueries } from './support/dashboards.js';
import { Prometheus, SCRAPE_INTERVAL_MS } from './support/prometheus.js';
import { alerts, queriesIn, records, runbookOf } from './support/rules.js';

/** A selector as rules and pages write them: with labels, or a record. */
const SELECTOR = /[a-z]\w*\{[^}]*\}|job:\w+:\w+/g;
const PATIENCE_MS = 180_000;
/** What Prometheus allows a scrape in production. */
const SCRAPE_TIMEOUT_MS = 10_000;

let workers: TestService;
let single: TestService;
let line: TcpProxy;
let prometheus: Prometheus;

/** Two instances on RabbitMQ, one of them of two workers, the other with a database that it can lose. */
beforeAll(async () => {
  const { url: RABBITMQ_URL } = await startOwnRabbitMq();
  workers = await startService({ EVENT_BUS: 'rabbitmq', RABBITMQ_URL, WORKERS: '2' });
  line = await startTcpProxy(Number(new URL(workers.mongodbUri).port));
  const uri = new URL(workers.mongodbUri);
  uri.port = String(line.port);
  uri.searchParams.set('directConnection', 'true');
  single = await workers.replica({ WORKERS: '1', MONGODB_URI: uri.href });
  prometheus = await Prometheus.start([workers, single].map(({ metricsUrl }) => new URL(metricsUrl).host));
}, 300_000);

/** Somebody registers, completes a task, looks at it, hears of it by WebSocket, and gets a mail. */
async function live(): Promise<void> {
  for (const service of [workers, single]) {
    const { email, api } = await registerUser(service);
    const client = await LiveClient.open(service, api.accessToken);
    await createTask(api, { status: 'done' });
    await api.get(TASKS);
    await api.get(TASKS);
    await waitFor('the notification', () => client.notifications.length > 0, 60_000);
    await waitFor('the mail to verify the address', () => mailsTo(email).length > 0, 60_000);
    client.close();
  }
}

async function fail(): Promise<void> {
  const { status } = await new ApiClient(single).post('/api/v1/auth/login', {
    email: 'a@example.org',
    password: 'x'.repeat(12),
  });
  expect(status).toBe(503);
}

const hasData = async (expr: string) => (await prometheus.query(expr)).some(({ value }) => Number.isFinite(value));

/** Until each of them gives a number: a rate needs to see some growth. */
async function expectData(queries: { place: string; expr: string }[], meanwhile = live): Promise<void> {
  let left = queries;
  await waitFor(
    'data',
    async () => {
      await meanwhile();
      await delay(SCRAPE_INTERVAL_MS); // nothing new is known before
      const answers = await Promise.all(left.map(async (query) => ((await hasData(query.expr)) ? [] : [query])));
      left = answers.flat();
      if (left.length > 0) throw new Error(`no data: ${left.map(({ place, expr }) => `\n${place}: ${expr}`).join('')}`);
      return true;
    },
    PATIENCE_MS,
  );
}

it('while the database is away, a scrape is answered in time, and says so', async () => {
  line.cut();
  await waitFor(
    'the database to be missed',
    async () => {
      await fail();
      const askedAt = Date.now();
      const text = await (await fetch(`${single.metricsUrl}/metrics`)).text();
      expect(Date.now() - askedAt).toBeLessThan(SCRAPE_TIMEOUT_MS);
      return text.includes('dependency_up{dependency="mongodb"} 0');
    },
    60_000,
  );
  await waitFor(
    'Prometheus to know',
    async () => {
      await fail();
      return await hasData('dependency_up{job="scalable-api",dependency="mongodb"} == 0');
    },
    60_000,
  );
  await expectData(
    [{ place: 'errors', expr: 'rate(http_request_duration_seconds_count{status="503"}[5m]) > 0' }],
    fail,
  );
  line.restore();
  await waitFor(
    'the database to be there',
    async () => (await new ApiClient(single).get('/health/ready')).status === 200,
    90_000,
  );
}, 240_000);

it('every query of every dashboard gives data', async () => {
  await expectData(dashboardQueries());
}, 240_000);

it('every rule that records has recorded', async () => {
  await expectData(records.map((expr) => ({ place: 'rules.yaml', expr })));
}, 240_000);

it('every alert, and every query of a runbook, looks at series that there are', async () => {
  const queries = alerts.flatMap(({ alert, expr }) => [{ place: alert, expr }, ...queriesIn(runbookOf(alert))]);
  for (const { expr } of queries) await prometheus.query(expr);
  const selectors = queries.flatMap(({ place, expr }) =>
    [...expr.matchAll(SELECTOR)].map(([found]) => ({ place, expr: found })),
  );
  expect(selectors.length).toBeGreaterThanOrEqual(queries.length);
  await expectData(selectors);
}, 240_000);
