import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient, type ClientSession, MongoServerError } from 'mongodb';
import postgres from 'postgres';
import { startMongoDb } from '../../local/mongodb.js';
import { ApiClient, type Problem } from '../support/api-client.js';
import { quickest } from '../support/quickest.js';
import { type OwnRedis, startOwnRedis } from '../support/redis.js';
import { type Restartable, startRestartable } from '../support/restartable.js';
import { startService, type TestService } from '../support/service.js';
import { TASKS } from '../support/tasks.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { registerUser, type TestUser } from '../support/users.js';
import { waitFor } from '../support/wait-for.js';

/** What probes and scrapes wait at most. */
const PROBE_MS = 1000;
/** A second and a half without an answer, and what it takes to notice that. */
const REFUSED_MS = 2500;
/** A request has arrived after so long, and isn't answered yet. */
const UNDER_WAY_MS = 200;
/** A driver whose server has stood still finds it again within so long. */
const RECOVERY_MS = 60_000;
/** More than there is room for in the stand-in for MongoDB. */
const MANY_TRANSACTIONS = 200;

let mongodb: Restartable;
let line: TcpProxy;
let redis: OwnRedis;
let service: TestService;
let anonymous: ApiClient;
let user: TestUser;

beforeAll(async () => {
  mongodb = await startRestartable((context) => startMongoDb(context, {}));
  redis = await startOwnRedis();
  const uri = new URL('/hanging', mongodb.url);
  line = await startTcpProxy(Number(uri.port));
  uri.port = String(line.port);
  service = await startService({
    MONGODB_URI: uri.href,
    REDIS_URL: redis.url,
    TRANSACTION_MAX_WAIT_MS: '3000',
  });
  anonymous = new ApiClient(service);
  user = await registerUser(service);
}, 180_000);
afterAll(async () => {
  mongodb.resume();
  await service.stop();
  await mongodb.stop();
}, 60_000);

async function timeOf(ask: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await ask();
  return performance.now() - began;
}

const create = () => user.api.post<Problem>(TASKS, { title: 'In bad times' });
const statusOf = async (path: string) => (await anonymous.get(path)).status;

async function expectQuickProbes(): Promise<void> {
  const metrics = `${service.metricsUrl}/metrics`;
  const probes = ['/health', '/health/live', '/health/ready'].map((path) => () => anonymous.get(path));
  for (const ask of [...probes, async () => await (await fetch(metrics)).text()]) {
    expect(await quickest(PROBE_MS, () => timeOf(ask))).toBeLessThan(PROBE_MS);
  }
  expect(await statusOf('/health/live')).toBe(200);
}

async function inFlight(): Promise<number> {
  const metrics = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  return Number(/^http_requests_in_flight (\d+)$/m.exec(metrics)?.[1]);
}

const HANGS = [
  ['stands still', () => mongodb.pause(), () => mongodb.resume()],
  ['is behind a connection that brings nothing', () => line.silence(), () => line.restore()],
] as const;

describe.each(HANGS)('a database that %s', (_, hang, recover) => {
  afterEach(async () => {
    recover();
    await waitFor('the service to recover', async () => (await create()).status === 201, RECOVERY_MS);
  });

  it('delays no probe, and requests that wait for it are in flight, then answered 503', async () => {
    hang();
    const waiting = [user.api.get<Problem>(`${TASKS}/stats`)];
    await waitFor('a request in flight', async () => {
      waiting.push(create());
      await delay(UNDER_WAY_MS);
      return (await inFlight()) > 0;
    });
    await expectQuickProbes();
    for (const { status, body, headers } of await Promise.all(waiting)) {
      expect([status, body.code]).toEqual([503, 'DEPENDENCY_UNAVAILABLE']);
      expect(headers.get('retry-after')).toBe('1');
      expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    }
    expect(await quickest(REFUSED_MS, () => timeOf(create))).toBeLessThan(REFUSED_MS);
    expect([await statusOf('/health/ready'), await statusOf('/health')]).toEqual([503, 503]);
    await expectQuickProbes();
    // What needs no database is answered as ever.
    expect((await anonymous.get('/.well-known/jwks.json')).status).toBe(200);
    expect((await anonymous.get(TASKS)).status).toBe(401);
    await waitFor('all of them to be over', async () => (await inFlight()) === 0);
  });
});

describe('a database that is full of transactions', () => {
  let client: MongoClient;
  const sessions: ClientSession[] = [];
  /** A real mongod takes more than that. */
  let isFull = false;
  beforeAll(async () => {
    client = await new MongoClient(mongodb.url).connect();
    await client.db('elsewhere').createCollection('things');
    for (let count = 0; count < MANY_TRANSACTIONS && !isFull; count++) {
      const session = client.startSession();
      sessions.push(session);
      session.startTransaction();
      try {
        await client.db('elsewhere').collection('things').insertOne({ count }, { session });
      } catch (error) {
        isFull = error instanceof MongoServerError && error.hasErrorLabel('TransientTransactionError');
        if (!isFull) throw error;
      }
    }
  });
  afterAll(() => client.close());

  it('delays no probe and no read, and writes are answered 503 in time, or 201 once there is room', async () => {
    const refused = create();
    await expectQuickProbes();
    expect([await statusOf('/health/ready'), await statusOf('/health')]).toEqual([200, 200]);
    expect((await user.api.get(TASKS)).status).toBe(200);
    const { status, body, headers } = await refused;
    if (isFull) {
      expect([status, body.code]).toEqual([503, 'OVERLOADED']);
      expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    } else expect(status).toBe(201);

    const created = create();
    await Promise.all(sessions.map((session) => session.endSession()));
    expect((await created).status).toBe(201);
  });
});

describe('a database whose disk is full', () => {
  /** PostgreSQL under the stand-in; a real mongod has none, and ends itself where its disk is full. */
  const engineUrl = () => {
    const gateway = mongodb.commandLines().find((args) => args.includes('--postgres'));
    return gateway?.[gateway.indexOf('--postgres') + 1];
  };

  it('answers writes 503 and is unhealthy, while reads go on, until there is space', async () => {
    const url = engineUrl();
    if (!url) return;
    const sql = postgres(url, { max: 1, onnotice: () => undefined });
    try {
      const [tasks] = await sql<{ id: string }[]>`
        SELECT collection_id AS id FROM documentdb_api_catalog.collections
        WHERE database_name = 'hanging' AND collection_name = 'tasks'`;
      // As the engine says it of a table that can't be extended.
      await sql.unsafe(`
        CREATE FUNCTION disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE 'could not extend file' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER disk_full BEFORE INSERT ON documentdb_data.documents_${tasks!.id}
        FOR EACH ROW EXECUTE FUNCTION disk_full()`);
      const { status, body, headers } = await create();
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'DEPENDENCY_UNAVAILABLE', '1']);
      const health = await anonymous.get<{ details: object }>('/health');
      expect([health.status, health.body.details]).toMatchObject([503, { mongodb: { status: 'down' } }]);
      expect(await statusOf('/health/ready')).toBe(200);
      expect((await user.api.get(TASKS)).status).toBe(200);
      await sql`DROP FUNCTION disk_full CASCADE`;
    } finally {
      await sql.end();
    }
    expect((await create()).status).toBe(201);
    await waitFor('it to be healthy', async () => (await statusOf('/health')) === 200, RECOVERY_MS);
  });
});

describe('a Redis that stands still', () => {
  it('delays no probe, and requests little', async () => {
    redis.pause();
    try {
      await expectQuickProbes();
      expect(await quickest(REFUSED_MS, () => timeOf(create))).toBeLessThan(REFUSED_MS);
      expect((await create()).status).toBe(201);
      expect((await user.api.get(TASKS)).status).toBe(200);
      expect(await statusOf('/health/ready')).toBe(200);
      expect((await anonymous.get('/health')).body).toMatchObject({ details: { redis: { status: 'down' } } });
      await expectQuickProbes();
    } finally {
      redis.resume();
    }
  });
});
