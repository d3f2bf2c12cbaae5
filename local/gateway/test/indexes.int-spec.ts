import postgres from 'postgres';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';
import { postgresUrl } from './support/gateway-process.js';

describe('indexes', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await openDatabase();
  });
  afterAll(() => test.close());

  it('are listed as they were asked for, without the engine’s own options', async () => {
    const collection = test.db.collection('listed');
    await collection.createIndex({ a: 1, b: -1 }, { unique: true, partialFilterExpression: { a: { $exists: true } } });
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
    await collection.createIndex({ s: 1 }, { sparse: true });
    await collection.createIndex({ h: 'hashed' });
    expect(await collection.indexes()).toEqual([
      { v: 2, key: { _id: 1 }, name: '_id_' },
      { v: 2, key: { a: 1, b: -1 }, name: 'a_1_b_-1', unique: true, partialFilterExpression: { a: { $exists: true } } },
      { v: 2, key: { at: 1 }, name: 'at_1', expireAfterSeconds: 60 },
      { v: 2, key: { s: 1 }, name: 's_1', sparse: true },
      { v: 2, key: { h: 'hashed' }, name: 'h_hashed' },
    ]);
  });

  it('can be asked for again without effect', async () => {
    const collection = test.db.collection('again');
    await collection.createIndex({ a: 1 }, { unique: true });
    await collection.createIndex({ a: 1 }, { unique: true });
    expect(await collection.indexes()).toHaveLength(2);
  });

  it.each([
    ['the same name with another key', { b: 1 }, { name: 'a_1' }, 86],
    ['the same name with other options', { a: 1 }, { name: 'a_1', expireAfterSeconds: 5 }, 85],
    ['the same key with another name', { a: 1 }, { name: 'other' }, 85],
  ] as const)('are refused for %s', async (_name, key, options, code) => {
    const collection = test.db.collection('conflicts');
    await collection.createIndex({ a: 1 });
    expect((await serverError(collection.createIndex({ ...key }, { ...options }))).code).toBe(code);
  });

  it('answer 27 when one that is not there is dropped', async () => {
    const collection = test.db.collection('dropped');
    await collection.createIndex({ a: 1 });
    expect((await serverError(collection.dropIndex('nope'))).code).toBe(27);
    await collection.dropIndex('a_1');
    expect(await collection.indexes()).toHaveLength(1);
  });

  it('answer 26 when the collection is not there', async () => {
    expect((await serverError(test.db.collection('nowhere').indexes())).code).toBe(26);
  });

  it('search text by its words and rank the finds', async () => {
    const collection = test.db.collection<{ _id: number; title: string; body?: string }>('texts');
    await collection.createIndex({ title: 'text', body: 'text' }, { weights: { title: 3 } });
    await collection.insertMany([
      { _id: 1, title: 'nothing', body: 'hello' },
      { _id: 2, title: 'hello world' },
    ]);
    const score = { $meta: 'textScore' } as const;
    const found = await collection
      .find({ $text: { $search: 'hello' } }, { projection: { score } })
      .sort({ score })
      .toArray();
    expect(found.map(({ _id }) => _id)).toEqual([2, 1]);
  });

  it('let the engine delete what has expired, and nothing else', async () => {
    const collection = test.db.collection<{ _id: number; at: Date }>('expiring');
    await collection.createIndex({ at: 1 }, { expireAfterSeconds: 0 });
    await collection.insertMany([
      { _id: 1, at: new Date(Date.now() - 1000) },
      { _id: 2, at: new Date(Date.now() + 600_000) },
    ]);
    const sql = postgres(postgresUrl(), { max: 1, onnotice: () => undefined });
    try {
      const [job] = await sql`select schedule, active from cron.job where jobname = 'documentdb_ttl_task'`;
      expect(job).toEqual({ schedule: '* * * * *', active: true });
      await sql.unsafe('call documentdb_api_internal.delete_expired_rows()');
    } finally {
      await sql.end();
    }
    expect(await collection.find().toArray()).toMatchObject([{ _id: 2 }]);
  });
});
