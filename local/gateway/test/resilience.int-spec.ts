import postgres from 'postgres';
import type { Collection } from 'mongodb';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';
import { postgresUrl } from './support/gateway-process.js';
import { startProxy } from './support/proxy.js';
import type { EngineProxy } from './support/proxy.js';

interface Counter {
  _id: number;
  n: number;
}

describe('when PostgreSQL goes away', () => {
  let proxy: EngineProxy;
  let test: TestDatabase;
  let counters: Collection<Counter>;

  beforeAll(async () => {
    proxy = await startProxy();
    test = await openDatabase({}, proxy.url);
    counters = test.db.collection<Counter>('counters');
    await counters.insertOne({ _id: 1, n: 0 });
  });
  afterAll(async () => {
    await test.close();
    await proxy.close();
  });
  beforeEach(() => counters.updateOne({ _id: 1 }, { $set: { n: 0 } }));

  it('commands that come meanwhile wait for its return', async () => {
    await proxy.down();
    const writes = Promise.all(Array.from({ length: 30 }, () => counters.updateOne({ _id: 1 }, { $inc: { n: 1 } })));
    await proxy.up();
    await writes;
    expect(await counters.findOne({ _id: 1 })).toEqual({ _id: 1, n: 30 });
  });

  it('writes that were running are applied once', async () => {
    const writes = Promise.all(Array.from({ length: 50 }, () => counters.updateOne({ _id: 1 }, { $inc: { n: 1 } })));
    await proxy.down();
    await proxy.up();
    const results = await writes;
    expect(results).toHaveLength(50);
    expect(await counters.findOne({ _id: 1 })).toEqual({ _id: 1, n: 50 });
  });

  it('open transactions fail so that the client begins them anew', async () => {
    const session = test.client.startSession();
    session.startTransaction();
    await counters.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
    await proxy.down();
    await proxy.up();
    const error = await serverError(counters.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session }));
    expect(error.hasErrorLabel('TransientTransactionError')).toBe(true);
    await session.endSession();
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 0 });
  });

  it('sessions ended by an administrator are replaced', async () => {
    const sql = postgres(postgresUrl(), { max: 1, onnotice: () => undefined });
    const reads = Promise.all(Array.from({ length: 50 }, () => counters.findOne({ _id: 1 })));
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where client_port = any(${proxy.ports()})`;
    await sql.end();
    expect(await reads).toHaveLength(50);
    expect(test.gateway.child.exitCode).toBeNull();
  });
});
