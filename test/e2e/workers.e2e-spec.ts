import { createServer } from 'node:net';
import { startMark } from '../../local/process-identity.js';
import { type ApiClient, sendRaw } from '../support/api-client.js';
import { databaseOf } from '../support/database.js';
import { type Load, startLoad } from '../support/load.js';
import { environmentFor, newDatabaseName, startService, TestService } from '../support/service.js';
import { createTask } from '../support/tasks.js';
import { registerUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

const CLIENTS = 9;
/** Leaves the processor to the workers that start meanwhile. */
const REQUESTS_PER_SECOND = 60;

const loads: Load[] = [];
afterEach(async () => {
  await Promise.all(loads.splice(0).map((load) => load.stop()));
});

/** A service of two processes that both take requests. */
async function startWorkers(): Promise<TestService> {
  const service = await startService({ WORKERS: '2', SHUTDOWN_DRAIN_SECONDS: '1' });
  await waitFor('both workers', () => service.logs().includes('2 workers are ready'), 60_000);
  return service;
}

/** The processes that have become ready, in their order; also those that have ended since. */
function workersOf(service: TestService): { worker: number; pid: number }[] {
  return service.logLines().filter(({ msg }) => msg === 'worker is ready') as never;
}

function load(service: TestService, { accessToken }: ApiClient): Load {
  const tokens = [accessToken!];
  const started = startLoad({ url: service.url, tokens, clients: CLIENTS, rate: REQUESTS_PER_SECOND });
  loads.push(started);
  return started;
}

const answered = ({ report }: Load) => Object.values(report.statuses).reduce((sum, count) => sum + count, 0);

async function sample(service: TestService, name: string): Promise<number> {
  const text = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  if (lines.length !== 1) throw new Error(`${lines.length} samples begin with ${name}`);
  return Number(lines[0]!.split(' ').at(-1));
}

const CREATED = 'http_request_duration_seconds_count{method="POST",route="/api/v1/tasks",status="201"}';
const DIED = 'workers_ended_total{expected="false"}';
const REPLACED = 'workers_ended_total{expected="true"}';

describe('an instance of two workers', () => {
  let service: TestService;
  let api: ApiClient;
  /** Before it was started and after it was ready, in seconds. */
  let started: [number, number];
  beforeAll(async () => {
    const before = Date.now() / 1000;
    service = await startWorkers();
    started = [before, Date.now() / 1000];
    ({ api } = await registerUser(service));
    await createTask(api);
    // The metrics of a worker that doesn't answer in time are left out of one scrape.
    await waitFor('the metric of created tasks', () => sample(service, CREATED));
  }, 120_000);

  const living = () => workersOf(service).filter(({ pid }) => startMark(pid));

  it('counts the requests of all workers in one place, also after a worker has been killed', async () => {
    const [createdBefore, diedBefore] = [await sample(service, CREATED), await sample(service, DIED)];
    const linesBefore = service.logLines().length;
    const running = load(service, api);
    await waitFor('requests', () => running.report.created.length >= 100, 60_000);
    const { created } = await running.stop();
    const counted = createdBefore + created.length;
    await waitFor('all of them to be counted', async () => (await sample(service, CREATED)) === counted);
    const requests = service
      .logLines()
      .slice(linesBefore)
      .filter(({ msg }) => msg === 'request');
    expect(new Set(requests.map((line) => line['worker'])).size).toBe(2);
    expect(await sample(service, 'workers_ready')).toBe(2);
    const startedAt = await sample(service, 'process_start_time_seconds');
    expect(startedAt).toBeGreaterThan(started[0] - 1);
    expect(startedAt).toBeLessThan(started[1]);

    const [{ worker, pid }] = living() as [{ worker: number; pid: number }];
    process.kill(pid, 'SIGKILL');
    const death = () => service.logLines().find((line) => line['msg'] === 'worker died' && line['worker'] === worker);
    expect(await waitFor('the death to be seen', death)).toMatchObject({ signal: 'SIGKILL' });
    // A counter that goes back looks like a restart, and every rate over it jumps.
    expect(await sample(service, CREATED)).toBe(counted);
    await waitFor('a new worker', async () => (await sample(service, 'workers_ready')) === 2, 60_000);
    expect(await sample(service, CREATED)).toBe(counted);
    expect(await sample(service, DIED)).toBe(diedBefore + 1);
    expect(await sample(service, 'process_start_time_seconds')).toBe(startedAt);
    expect(await sample(service, 'work_depth{queue="outbox",state="parked"}')).toBe(0);
  }, 180_000);

  it('loses only what a killed worker had in hand, and nothing acknowledged', async () => {
    const running = load(service, api);
    await waitFor('requests', () => answered(running) >= 200, 60_000);
    const ready = workersOf(service).length;
    process.kill(living()[1]!.pid, 'SIGKILL');
    await waitFor('a new worker', () => workersOf(service).length > ready, 60_000);
    const soFar = answered(running);
    await waitFor('requests go on', () => answered(running) >= soFar + 100, 60_000);
    const { statuses, failures, created } = await running.stop();
    expect(Object.keys(statuses)).toEqual(['200', '201']);
    // Each client has one request under way.
    expect(failures.length).toBeLessThanOrEqual(CLIENTS);
    const stored = await databaseOf(service).collection('tasks').find({}).project({ _id: 1 }).toArray();
    const found = new Set(stored.map(({ _id }) => String(_id)));
    expect(created.filter((task) => !found.has(task))).toEqual([]);
  }, 180_000);

  it('replaces all workers on SIGHUP without a failed request, and stays ready', async () => {
    const running = load(service, api);
    const unready: number[] = [];
    // Each by a connection of its own, as Kubernetes probes: one kept open may be closed at the moment it is used again.
    const probe = setInterval(() => {
      const answer = sendRaw(service, 'GET', '/health/ready').then(({ status }) => status);
      void answer.catch(() => 0).then((status) => status === 200 || unready.push(status));
    }, 50);
    const before = living().map(({ pid }) => pid);
    const [linesBefore, replacedBefore] = [service.logLines().length, await sample(service, REPLACED)];
    await waitFor('requests', () => answered(running) >= 100, 60_000);
    service.signal('SIGHUP');
    await waitFor('the replacement', () => service.logs().includes('2 workers are replaced'), 90_000);
    const soFar = answered(running);
    await waitFor('requests go on', () => answered(running) >= soFar + 100, 60_000);
    clearInterval(probe);
    const { statuses, failures } = await running.stop();
    expect(failures).toEqual([]);
    expect(Object.keys(statuses)).toEqual(['200', '201']);
    expect(unready).toEqual([]);
    expect(await sample(service, 'workers_ready')).toBe(2);
    expect(await sample(service, REPLACED)).toBe(replacedBefore + 2);
    const messages = service.logLines().slice(linesBefore);
    const order = messages.map(({ msg }) => String(msg).replace(/; closing.*/, ''));
    const steps = order.filter((msg) => msg === 'worker is ready' || msg === 'replaced');
    expect(steps).toEqual(['worker is ready', 'replaced', 'worker is ready', 'replaced']);
    expect(before.filter((pid) => startMark(pid))).toEqual([]);
  }, 180_000);
});

it('ends all workers on SIGTERM, also when each gets it, once what is under way is answered', async () => {
  const service = await startWorkers();
  const { api } = await registerUser(service);
  const running = load(service, api);
  await waitFor('requests', () => answered(running) >= 100, 60_000);
  const drained = performance.now() + 1000;
  // As systemd does: the signal goes to every process of the group.
  for (const { pid } of workersOf(service)) process.kill(pid, 'SIGTERM');
  service.terminate();
  await waitFor('readiness to fail', async () => (await fetch(`${service.url}/health/ready`)).status === 503);
  expect(await service.waitForExit()).toBe(0);
  const { statuses, failures } = await running.stop();
  expect(Object.keys(statuses)).toEqual(['200', '201']);
  // Nobody listens any more then; until then everything was answered.
  for (const { at } of failures) expect(at).toBeGreaterThanOrEqual(drained);
}, 120_000);

describe('a start that cannot succeed', () => {
  const attempt = async (overrides: Record<string, string | undefined>) => {
    const name = newDatabaseName();
    const service = new TestService(name, { ...environmentFor(name), WORKERS: '4', ...overrides });
    await expect(service.start()).rejects.toThrow('ended with 1');
    return service.logs();
  };

  it('says once what is wrong with the configuration', async () => {
    expect(await attempt({ REDIS_URL: 'http://nowhere' })).toMatch(/^REDIS_URL must [^\n]+\n$/);
  });

  it('gives up at once where the first worker cannot serve', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as { port: number };
    const output = await attempt({ PORT: String(port) });
    expect(output.match(/^Error: .*EADDRINUSE/gm)).toHaveLength(1);
    expect(output).toContain('giving up');
    taken.close();
  });
});
