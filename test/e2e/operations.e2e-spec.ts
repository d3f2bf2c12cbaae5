import { request } from 'node:http';
import { Redis } from 'ioredis';
import { eventsOf } from '../../src/contracts/module-manifest.js';
import { MANIFESTS } from '../../src/modules.js';
import { ApiClient, type Problem } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { mailTo, tokenIn } from '../support/mail.js';
import { startOwnRedis } from '../support/redis.js';
import { RawConnection } from '../support/raw-http.js';
import { RedisProxy } from '../support/redis-proxy.js';
import { startService, type TestService } from '../support/service.js';
import { createTask, TASKS, type TaskBody } from '../support/tasks.js';
import { newEmail, newRegistration, registerUser, type Tokens } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

/** Far less than the time limit of a shutdown, 25 s. */
const SHUTDOWN_MS = 12_000;
/** "Continue" is the answer to its head, so the service has begun to read the body by then. */
const HALF_A_BODY =
  'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\nExpect: 100-continue\r\n\r\n{"em';
/** What clients sent that then go silent: nothing, half a header, half a body, a second request after a complete one. */
const INCOMPLETE_REQUESTS = [
  '',
  'GET /health/live HTTP/1.1\r\nHost: ',
  'POST /api/v1/auth/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{"em',
  'GET /health/live HTTP/1.1\r\nHost: a\r\n\r\nGET /health/live HTTP/1.1\r\n',
];

let service: TestService;
let anonymous: ApiClient;
beforeAll(async () => {
  service = await startService({ LOG_LEVEL: 'trace' });
  anonymous = new ApiClient(service);
});

describe('health', () => {
  it('reports the state of the process and its dependencies', async () => {
    const { status, body } = await anonymous.get('/health');
    expect(status).toBe(200);
    const up = Object.fromEntries(['mongodb', 'redis', 'storage', 'clock'].map((name) => [name, { status: 'up' }]));
    expect(body).toEqual({
      status: 'ok',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      uptime: expect.any(Number) as number,
      memory: { rss: expect.any(Number) as number, heapUsed: expect.any(Number) as number },
      cpu: { user: expect.any(Number) as number, system: expect.any(Number) as number },
      info: up,
      error: {},
      details: up,
    });
  });

  it.each(['/health/live', '/health/ready'])('answers the probe %s', async (path) => {
    const { status, body } = await anonymous.get(path);
    expect([status, body]).toEqual([200, { status: 'ok' }]);
  });
});

describe('Redis', () => {
  it('may go again at any moment of its coming back', async () => {
    const redis = await startOwnRedis();
    const proxy = await RedisProxy.start(() => redis.url);
    const client = new Redis(redis.url);
    try {
      const own = await service.replica({ REDIS_URL: proxy.url });
      const subscribing = proxy.holdBack(/subscribe\r\n/i);
      proxy.cut();
      await subscribing;
      proxy.cut();
      const channels = async () => ((await client.pubsub('CHANNELS')) as string[]).sort().join();
      await waitFor('it to be subscribed to', async () => (await channels()) === 'inbox-news,revocations');
      expect(await own.stop()).toBe(0);
    } finally {
      client.disconnect();
      proxy.stop();
    }
  });
});

describe('metrics', () => {
  it('are on a port of their own and nothing else is', async () => {
    const metrics = await fetch(`${service.metricsUrl}/metrics`);
    expect(metrics.status).toBe(200);
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain/);
    expect((await fetch(`${service.metricsUrl}/health`)).status).toBe(404);
    expect((await anonymous.get('/metrics')).status).toBe(404);
  });

  it('tell of requests by route, of the database, the cache, work and the process', async () => {
    const { api } = await registerUser(service);
    const { id } = await createTask(api);
    await api.get(`${TASKS}/${id}`);
    await api.get(TASKS);
    await anonymous.get('/wp-admin');
    const read = async () => await (await fetch(`${service.metricsUrl}/metrics`)).text();
    const text = await waitFor('the requests to be counted', async () => {
      const metrics = await read();
      return metrics.includes('route="unmatched"') && metrics;
    });
    const samples = [
      'http_request_duration_seconds_bucket{le="0.1",method="GET",route="/api/v1/tasks/:id",status="200"}',
      'mongodb_command_duration_seconds_count{command="find",outcome="success"}',
      'mongodb_pool_in_use ',
      'mongodb_pool_waiting ',
      'response_cache_requests_total{scope="tasks",outcome="miss"}',
      'work_depth{queue="outbox",state="parked"} 0',
      'work_finished_total{queue="outbox",outcome="done"}',
      'work_oldest_age_seconds{queue="email"}',
      'domain_events_total{type="auth.account-registered.v1"} 1',
      'domain_events_total{type="tasks.task-created.v1"} 1',
      'domain_events_total{type="tasks.task-completed.v1"} 0',
      'dependency_up{dependency="mongodb"} 1',
      'dependency_up{dependency="redis"} 1',
      'dependency_up{dependency="storage"} 1',
      'nodejs_eventloop_lag_p99_seconds ',
      'process_memory_limit_bytes ',
      'process_resident_memory_bytes ',
    ];
    for (const sample of samples) expect(text).toContain(sample);
    const queues = [...text.matchAll(/^work_oldest_age_seconds\{queue="([^"]*)"\}/gm)].map(([, queue]) => queue);
    const stated = MANIFESTS.flatMap((manifest) => manifest.queues);
    expect(queues.sort()).toEqual([...stated, 'outbox', 'object-removals', 'recurring-jobs'].sort());
    const types = [...text.matchAll(/^domain_events_total\{type="([^"]*)"\}/gm)].map(([, type]) => type);
    expect(types.sort()).toEqual(
      MANIFESTS.flatMap(eventsOf)
        .map(({ type }) => type)
        .sort(),
    );
    // A series for every address that anybody makes up would be a way to fill the memory.
    expect(text).not.toContain(id);
    expect(text).not.toContain('wp-admin');
  });
});

describe('the log', () => {
  it('is JSON lines that say who asked what, and hold no password, token or address', async () => {
    const registration = newRegistration({ name: 'Augusta Ada' });
    const secrets = [registration.password, registration.email, 'not-the-password', 'Augusta'];
    const { body: tokens } = await anonymous.post<Tokens>('/api/v1/auth/register', registration);
    const api = new ApiClient(service, tokens.accessToken);
    secrets.push(tokens.accessToken, tokens.refreshToken);
    const token = tokenIn(await mailTo(registration.email));
    secrets.push(token);
    await api.post('/api/v1/auth/email/verify', { token });
    await anonymous.post('/api/v1/auth/email/verify', { token });
    await anonymous.post('/api/v1/auth/register', registration);
    await anonymous.post('/api/v1/auth/login', { ...registration, name: undefined, password: 'not-the-password' });
    await anonymous.post(
      '/api/v1/auth/login',
      `{"email": "${registration.email}", "password": "${registration.password}"`,
    );
    await anonymous.post('/api/v1/auth/login', { email: registration.email, password: registration.password });
    const refreshed = await anonymous.post<Tokens>('/api/v1/auth/refresh', { refreshToken: tokens.refreshToken });
    secrets.push(refreshed.body.refreshToken, refreshed.body.accessToken);
    await api.get(`/api/v1/users?q=${encodeURIComponent(registration.email)}`);
    await api.get(`${TASKS}?access_token=${tokens.accessToken}`);
    await api.patch('/api/v1/users/me', { name: 'Augusta Ada', phone: '+436601234567' });
    secrets.push('+436601234567');
    await createTask(api, { title: 'A title of Augusta', status: 'done' });
    await mailTo(registration.email, ({ subject }) => subject === 'Task completed');
    await api.post('/api/v1/auth/logout', undefined, { 'X-Request-Id': 'the-last-one' });
    await waitFor('the last line', () => service.logs().includes('the-last-one'));

    const log = service.logs();
    for (const secret of secrets) expect(log.includes(secret) ? `the log holds ${secret}` : 'fine').toBe('fine');
    const lines = log.split('\n').filter((line) => line !== '');
    const parsed = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    for (const line of parsed) {
      expect(line).toMatchObject({ level: expect.any(String) as string, service: 'scalable-api' });
      expect(new Date(line['time'] as string).toISOString()).toBe(line['time']);
    }
    const line = parsed.find(({ requestId }) => requestId === 'the-last-one');
    expect(line).toMatchObject({
      level: 'info',
      msg: 'request',
      userId: tokens.user.id,
      method: 'POST',
      path: '/api/v1/auth/logout',
      route: '/api/v1/auth/logout',
      status: 204,
      ms: expect.any(Number) as number,
    });
  });
});

describe('a client that leaves in the middle of its request', () => {
  it('is counted and logged, and is no error of the service', async () => {
    const brokenOff = async () => {
      const text = await (await fetch(`${service.metricsUrl}/metrics`)).text();
      return Number(/^http_requests_broken_off_total (\d+)$/m.exec(text)?.[1]);
    };
    expect(await brokenOff()).toBe(0);
    const lines = service.logLines().length;
    const connection = await openConnection(service, HALF_A_BODY);
    await waitFor('the head to be read', () => connection.text.includes('100 Continue'));
    connection.close();
    await waitFor('the request to be counted', async () => (await brokenOff()) === 1);
    const isLogin = ({ route }: Record<string, unknown>) => route === '/api/v1/auth/login';
    const access = await waitFor('its line', () => service.logLines().slice(lines).find(isLogin));
    expect(access).toMatchObject({ level: 'info', msg: 'request broken off' });
    expect(
      service
        .logLines()
        .slice(lines)
        .filter(({ level }) => level === 'error'),
    ).toEqual([]);
  });
});

describe('standard output that nobody reads', () => {
  const droppedLines = async () => {
    const text = await (await fetch(`${service.metricsUrl}/metrics`)).text();
    return Number(/^log_lines_dropped_total (\d+)$/m.exec(text)?.[1]);
  };

  it('delays no request; lines are dropped and counted, and the number is logged when it is read again', async () => {
    const { api } = await registerUser(service);
    expect(await droppedLines()).toBe(0);
    service.stallOutput();
    try {
      // Each adds a line of 12 KiB to the log. What the pipe and the service keep is far less than all of it.
      const path = `/${'a'.repeat(12 * 1024)}`;
      await waitFor('lines to be dropped', async () => {
        const answers = await Promise.all(Array.from({ length: 20 }, () => anonymous.get(path)));
        expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(404));
        return (await droppedLines()) > 0;
      });
      await createTask(api);
      expect((await anonymous.get('/health/ready')).status).toBe(200);
    } finally {
      service.resumeOutput();
    }
    const report = await waitFor('the report', () => service.logLines().find(({ dropped }) => dropped));
    expect(report).toMatchObject({ level: 'warn', reason: 'EAGAIN', dropped: await droppedLines() });
    for (const line of service.logs().trim().split('\n')) expect(() => void JSON.parse(line)).not.toThrow();
  });
});

describe('a shutdown', () => {
  it('fails readiness at once, while liveness and requests go on, and ends with code 0', async () => {
    const draining = await service.replica({ SHUTDOWN_DRAIN_SECONDS: '2' });
    const { api } = await registerUser(draining);
    const client = new ApiClient(draining);
    expect((await client.get('/health/ready')).status).toBe(200);
    draining.terminate();
    const unready = await waitFor('readiness to fail', async () => {
      const answer = await client.get<{ status: string }>('/health/ready');
      return answer.status === 503 && answer;
    });
    expect(unready.body.status).toBe('shutting_down');
    expect((await client.get('/health/live')).status).toBe(200);
    const { status, headers } = await api.get(TASKS);
    expect([status, headers.get('connection')]).toEqual([200, 'close']);
    // A proxy that would repeat it on another instance is asked to.
    expect((await api.get(TASKS, { 'X-Repeatable': '1' })).status).toBe(502);
    expect(await draining.waitForExit()).toBe(0);
  });

  it('by SIGHUP, too, answers all requests under way, however slow, waits for no incomplete one, and ends with code 0', async () => {
    const leaving = await service.replica({ SHUTDOWN_DRAIN_SECONDS: '1' });
    const { api } = await registerUser(leaving);
    const client = new ApiClient(leaving);
    const incomplete = await Promise.all(INCOMPLETE_REQUESTS.map((text) => openConnection(leaving, text)));
    const slow = slowPost(leaving, TASKS, api.accessToken as string, { title: 'Slow' });
    await slow.headersSent;
    // Each is counted before its password is looked at: that tells when all have arrived.
    const counted = () =>
      databaseOf(leaving)
        .collection<{ _id: string }>('attemptcounters')
        .countDocuments({ _id: /:network:/ });
    const countedBefore = await counted();
    // Somebody else each time: the failures of one would lock the account.
    const logins = Array.from({ length: 20 }, () =>
      client.post<Problem>('/api/v1/auth/login', { email: newEmail(), password: 'not-the-password' }),
    );
    await waitFor('the log-ins to arrive', async () => (await counted()) === countedBefore + logins.length);
    const terminatedAt = performance.now();
    leaving.signal('SIGHUP'); // as good as SIGTERM
    await waitFor('the shutdown to begin', () => leaving.logs().includes('not ready any more'));
    slow.finish();
    expect((await slow.answer).status).toBe(201);
    expect((await Promise.all(logins)).map(({ status }) => status)).toEqual(Array(20).fill(401));
    // None of these ends by itself: a shutdown that waits for them is ended by its time limit, with another code.
    expect((await Promise.all(incomplete.map((connection) => connection.untilClosed()))).length).toBe(4);
    expect(await leaving.waitForExit()).toBe(0);
    expect(performance.now() - terminatedAt).toBeLessThan(SHUTDOWN_MS);
    // What the last request wrote is there, and its event is delivered by whoever is left.
    const { body } = await api.at(service).get<{ data: TaskBody[] }>(TASKS);
    expect(body.data.map(({ title }) => title)).toEqual(['Slow']);
  });
});

async function openConnection(service: TestService, text: string): Promise<RawConnection> {
  const connection = await RawConnection.open(service);
  connection.send(text);
  return connection;
}

/** A request whose body is held back until `finish`. */
function slowPost({ url }: TestService, path: string, token: string, body: object) {
  const text = JSON.stringify(body);
  const { hostname, port } = new URL(url);
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': text.length,
    Authorization: `Bearer ${token}`,
    Expect: '100-continue',
  };
  const outgoing = request({ hostname, port, path, method: 'POST', headers, agent: false });
  const answer = new Promise<{ status: number }>((resolve, reject) => {
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0 });
    });
  });
  // "Continue" comes once the server has read the head: from then on the request is under way.
  const headersSent = new Promise<void>((resolve) => outgoing.once('continue', resolve));
  outgoing.flushHeaders();
  return { headersSent, answer, finish: () => outgoing.end(text) };
}
