import { MongoClient } from 'mongodb';
import type { ClientSession } from 'mongodb';
import { DEFAULT_POOL_SIZES } from '../src/services.js';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';

interface Counter {
  _id: number;
  n?: number;
  key?: string;
  by?: number;
}

const times = <T>(count: number, task: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => task(n)));

describe('many clients at once', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await openDatabase({ maxPoolSize: 100 });
  });
  afterAll(() => test.close());

  it('make the same collections implicitly', async () => {
    await times(60, (n) => test.db.collection(`implicit_${n % 3}`).insertOne({ n }));
    expect(await test.db.collection('implicit_0').countDocuments()).toBe(20);
  });

  it('make the same indexes on collections that are not there', async () => {
    await times(60, (n) => test.db.collection(`indexed_${n % 3}`).createIndex({ a: 1 }, { unique: true }));
    expect(await test.db.collection('indexed_0').indexes()).toHaveLength(2);
  });

  it('make and drop collections while others write to them', async () => {
    await times(40, async (n) => {
      const collection = test.db.collection(`dropped_${n % 2}`);
      if (n % 5 === 0) await collection.drop();
      else await collection.insertOne({ n });
    });
  });

  it('upsert one _id and lose no increment', async () => {
    const collection = test.db.collection<Counter>('upserts');
    await times(50, () => collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { upsert: true }));
    expect(await collection.findOne({ _id: 1 })).toMatchObject({ n: 50 });
  });

  it('upsert one unique key and lose no increment', async () => {
    const collection = test.db.collection<Counter>('unique_upserts');
    await collection.createIndex({ key: 1 }, { unique: true });
    await times(30, () => collection.updateOne({ key: 'k' }, { $inc: { n: 1 } }, { upsert: true }));
    await times(30, () => collection.findOneAndUpdate({ key: 'k' }, { $inc: { n: 1 } }, { upsert: true }));
    expect(await collection.find().toArray()).toMatchObject([{ key: 'k', n: 60 }]);
  });

  it('compete for a document and one wins', async () => {
    const collection = test.db.collection<Counter & { state: string }>('claims');
    await collection.insertMany([
      { _id: 1, state: 'free' },
      { _id: 2, state: 'free' },
    ]);
    const found = await times(40, (by) =>
      collection.findOneAndUpdate({ _id: 1, state: 'free' }, { $set: { state: 'taken', by } }),
    );
    expect(found.filter(Boolean)).toHaveLength(1);
    const updated = await times(40, (by) =>
      collection.updateOne({ _id: 2, state: 'free' }, { $set: { state: 'taken', by } }),
    );
    expect(updated.filter(({ modifiedCount }) => modifiedCount === 1)).toHaveLength(1);
  });

  it('take each element of a queue once', async () => {
    const collection = test.db.collection<Counter & { state: string }>('queue');
    await collection.insertMany(Array.from({ length: 40 }, (_, n) => ({ _id: n, state: 'new' })));
    const claimed = await times(60, () =>
      collection.findOneAndUpdate({ state: 'new' }, { $set: { state: 'taken' } }, { sort: { _id: 1 } }),
    );
    const ids = claimed.flatMap((document) => (document ? [document._id] : []));
    expect(ids).toHaveLength(40);
    expect(new Set(ids).size).toBe(40);
  });

  it('write the same documents in opposite orders', async () => {
    const collection = test.db.collection<Counter>('opposite');
    await collection.insertMany(Array.from({ length: 6 }, (_, _id) => ({ _id, n: 0 })));
    const ids = [0, 1, 2, 3, 4, 5];
    await times(20, (n) =>
      collection.bulkWrite(
        (n % 2 ? ids : ids.toReversed()).map((_id) => ({ updateOne: { filter: { _id }, update: { $inc: { n: 1 } } } })),
        { ordered: n % 4 < 2 },
      ),
    );
    expect((await collection.find().toArray()).map(({ n }) => n)).toEqual([20, 20, 20, 20, 20, 20]);
  });

  it('number three hundred connections', async () => {
    const collection = test.db.collection<Counter>('connections');
    await collection.insertOne({ _id: 1, n: 0 });
    const clients = await times(30, () =>
      new MongoClient(test.gateway.uri, { maxPoolSize: 10, minPoolSize: 10 }).connect(),
    );
    const db = test.db.databaseName;
    await times(300, (n) =>
      clients[n % 30]!.db(db)
        .collection<Counter>('connections')
        .updateOne({ _id: 1 }, { $inc: { n: 1 } }),
    );
    await Promise.all(clients.map((client) => client.close()));
    expect(await collection.findOne({ _id: 1 })).toMatchObject({ n: 300 });
  });

  it('wait for a transaction’s lock in plain writes without keeping it from ending', async () => {
    const collection = test.db.collection<Counter>('locked');
    await collection.insertOne({ _id: 1, n: 0 });
    const session = test.client.startSession();
    session.startTransaction();
    await collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session });
    const plain = times(60, () => collection.updateOne({ _id: 1 }, { $inc: { n: 1 } }));
    await collection.insertOne({ _id: 2 }, { session });
    await session.commitTransaction();
    await session.endSession();
    await plain;
    expect(await collection.findOne({ _id: 1 })).toMatchObject({ n: 61 });
  });

  it('begin more transactions at once than there is room for, over more connections, and all get through', async () => {
    const collection = test.db.collection<Counter>('burst');
    const counts = test.db.collection<Counter>('burst_counts');
    await Promise.all([collection, counts].map(({ collectionName }) => test.db.createCollection(collectionName)));
    await times(300, (_id) =>
      test.client.withSession((session) =>
        session.withTransaction(async () => {
          await collection.insertOne({ _id, n: 0 }, { session });
          await counts.insertOne({ _id, n: 1 }, { session });
        }),
      ),
    );
    expect([await collection.countDocuments(), await counts.countDocuments()]).toEqual([300, 300]);
  });

  it('are refused a transaction at once, to be tried again, while there is no room for it', async () => {
    const collection = test.db.collection<Counter>('full');
    await test.db.createCollection('full');
    const sessions = Array.from({ length: DEFAULT_POOL_SIZES.transactions + 1 }, () => test.client.startSession());
    const begin = async (session: ClientSession, _id: number) => {
      session.startTransaction();
      await collection.insertOne({ _id, n: 0 }, { session });
    };
    const [last, ...others] = sessions;
    await Promise.all(others.map(begin));
    const refusal = await serverError(begin(last!, -1));
    expect([refusal.codeName, refusal.hasErrorLabel('TransientTransactionError')]).toEqual(['LockTimeout', true]);
    await last!.abortTransaction();
    await others[0]!.commitTransaction();
    await begin(last!, -1);
    await Promise.all(sessions.map((session) => session.endSession()));
    expect(await collection.countDocuments()).toBe(1);
  });
});
