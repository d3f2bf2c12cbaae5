import { setTimeout as delay } from 'node:timers/promises';
import type { ClientSession, Collection } from 'mongodb';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';
import { RawClient } from './support/raw-client.js';
import { UUID } from 'bson';
import { Long } from 'mongodb';

interface Counter {
  _id: number;
  n: number;
}

describe('transactions', () => {
  let test: TestDatabase;
  let counters: Collection<Counter>;
  let one: ClientSession;
  let two: ClientSession;

  beforeAll(async () => {
    test = await openDatabase();
    counters = test.db.collection<Counter>('counters');
    await counters.insertOne({ _id: 0, n: 0 });
  });
  afterAll(() => test.close());

  beforeEach(async () => {
    await counters.deleteMany({});
    await counters.insertMany([
      { _id: 1, n: 0 },
      { _id: 2, n: 0 },
    ]);
    one = test.client.startSession();
    two = test.client.startSession();
  });
  afterEach(async () => {
    await one.endSession();
    await two.endSession();
  });

  const increment = { $inc: { n: 1 } };
  const transient = { code: 112, codeName: 'WriteConflict', errorLabels: ['TransientTransactionError'] };

  it('show their writes to others only once they are committed', async () => {
    one.startTransaction();
    await counters.updateOne({ _id: 1 }, increment, { session: one });
    expect(await counters.findOne({ _id: 1 }, { session: one })).toMatchObject({ n: 1 });
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 0 });
    await one.commitTransaction();
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 1 });
  });

  it('leave nothing behind when they are aborted', async () => {
    one.startTransaction();
    await counters.insertOne({ _id: 3, n: 0 }, { session: one });
    await one.abortTransaction();
    expect(await counters.findOne({ _id: 3 })).toBeNull();
  });

  it('read from one snapshot', async () => {
    one.startTransaction();
    await counters.findOne({ _id: 1 }, { session: one });
    await counters.updateOne({ _id: 2 }, increment);
    expect(await counters.findOne({ _id: 2 }, { session: one })).toMatchObject({ n: 0 });
    await one.abortTransaction();
  });

  it('conflict when two write one document, without waiting for the first to end', async () => {
    one.startTransaction();
    two.startTransaction();
    await counters.updateOne({ _id: 1 }, increment, { session: one });
    expect(
      (await serverError(counters.updateOne({ _id: 1 }, increment, { session: two }))).errorResponse,
    ).toMatchObject(transient);
    await two.abortTransaction();
    await one.commitTransaction();
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 1 });
  });

  it.each<[string, (session: ClientSession) => Promise<unknown>]>([
    ['an update', (session) => counters.updateOne({ _id: 2 }, increment, { session })],
    ['an update of many', (session) => counters.updateMany({}, increment, { session })],
    ['findAndModify', (session) => counters.findOneAndUpdate({ _id: 2 }, increment, { session })],
    ['a delete', (session) => counters.deleteOne({ _id: 2 }, { session })],
  ])('conflict when %s meets what was changed after the snapshot', async (_name, write) => {
    one.startTransaction();
    await counters.findOne({ _id: 1 }, { session: one });
    await counters.updateOne({ _id: 2 }, increment);
    expect((await serverError(write(one))).errorResponse).toMatchObject(transient);
  });

  it('conflict when two insert the same _id', async () => {
    one.startTransaction();
    two.startTransaction();
    await counters.insertOne({ _id: 7, n: 1 }, { session: one });
    expect((await serverError(counters.insertOne({ _id: 7, n: 2 }, { session: two }))).errorResponse).toMatchObject(
      transient,
    );
    await one.commitTransaction();
  });

  it('make a plain write wait until they end', async () => {
    one.startTransaction();
    await counters.updateOne({ _id: 1 }, { $set: { n: 10 } }, { session: one });
    const plain = counters.updateOne({ _id: 1 }, increment);
    await one.commitTransaction();
    await plain;
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 11 });
  });

  it('are over once a write failed', async () => {
    one.startTransaction();
    await counters.insertOne({ _id: 8, n: 0 }, { session: one });
    expect((await serverError(counters.insertOne({ _id: 1, n: 0 }, { session: one }))).code).toBe(11000);
    const error = await serverError(counters.insertOne({ _id: 9, n: 0 }, { session: one }));
    expect(error.errorResponse).toMatchObject({ code: 251, errorLabels: ['TransientTransactionError'] });
    expect(await counters.findOne({ _id: 8 })).toBeNull();
  });

  it('count every one of many that are repeated until they get through', async () => {
    await Promise.all(
      Array.from({ length: 30 }, () =>
        test.client.withSession((session) =>
          session.withTransaction(async () => {
            const counter = await counters.findOne({ _id: 1 }, { session });
            await counters.updateOne({ _id: 1 }, { $set: { n: counter!.n + 1 } }, { session });
          }),
        ),
      ),
    );
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 30 });
  });

  it('can be more than there are connections for, each waiting its turn', async () => {
    const sessions = Array.from({ length: 100 }, () => test.client.startSession());
    await Promise.all(
      sessions.map((session, n) =>
        session.withTransaction(() => counters.insertOne({ _id: 1000 + n, n }, { session })),
      ),
    );
    await Promise.all(sessions.map((session) => session.endSession()));
    expect(await counters.countDocuments({ _id: { $gte: 1000 } })).toBe(100);
  });

  it('make collections and indexes, also after they have read', async () => {
    one.startTransaction();
    await counters.findOne({}, { session: one });
    await test.db.collection('made-implicitly').insertOne({ a: 1 }, { session: one });
    await test.db.createCollection('made', { session: one });
    await test.db.collection('made').createIndex({ a: 1 }, { session: one });
    await one.commitTransaction();
    expect(await test.db.collection('made-implicitly').countDocuments()).toBe(1);
    expect(await test.db.collection('made').indexes()).toHaveLength(2);
  });

  it('refuse what mongod refuses in them', async () => {
    one.startTransaction();
    expect((await serverError(test.db.command({ count: 'counters' }, { session: one }))).code).toBe(263);
    await one.abortTransaction();
  });

  it('can be committed again after a lost answer', async () => {
    one.startTransaction();
    await counters.updateOne({ _id: 1 }, increment, { session: one });
    await one.commitTransaction();
    await one.commitTransaction();
    expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 1 });
  });

  describe('of a client that goes away', () => {
    const lsid = { id: new UUID() };
    const inTransaction = (command: object, n: number, start = false): Record<string, unknown> => ({
      ...command,
      lsid,
      txnNumber: Long.fromNumber(n),
      autocommit: false,
      ...(start ? { startTransaction: true } : {}),
    });

    it('are rolled back, so that others can write again', async () => {
      const raw = await RawClient.open(test.gateway.port);
      const update = { update: 'counters', updates: [{ q: { _id: 1 }, u: increment }], $db: test.db.databaseName };
      expect(await raw.command(inTransaction(update, 1, true))).toMatchObject({ ok: 1 });
      raw.close();
      await counters.updateOne({ _id: 1 }, { $inc: { n: 10 } });
      expect(await counters.findOne({ _id: 1 })).toMatchObject({ n: 10 });
    });

    it('do not begin after that, though their first write had waited for a collection to be made', async () => {
      two.startTransaction();
      await counters.updateOne({ _id: 2 }, increment, { session: two });
      const index = counters.createIndex({ n: 1 }); // waits for that, and whatever makes a collection waits for this
      const raw = await RawClient.open(test.gateway.port);
      const insert = { insert: 'late', documents: [{ _id: 1 }], $db: test.db.databaseName };
      const ping = { ping: 1, $db: 'admin' };
      await test.db.command(ping);
      raw.send(inTransaction(insert, 3, true));
      await test.db.command(ping);
      raw.close();
      await test.db.command(ping);
      await two.commitTransaction();
      await index;
      // What had begun would keep the collection from being dropped.
      await test.db.collection<Counter>('late').insertOne({ _id: 2, n: 0 });
      const dropped = test.db.dropCollection('late');
      expect(await Promise.race([dropped, delay(5000, 'a lock is held', { ref: false })])).toBe(true);
    });

    it('are rolled back when their session is killed', async () => {
      const raw = await RawClient.open(test.gateway.port);
      const insert = { insert: 'counters', documents: [{ _id: 77 }], $db: test.db.databaseName };
      await raw.command(inTransaction(insert, 2, true));
      await raw.command({ killSessions: [lsid], $db: 'admin' });
      const commit = await raw.command(inTransaction({ commitTransaction: 1, $db: 'admin' }, 2));
      expect(commit).toMatchObject({ ok: 0, code: 251 });
      expect(await counters.findOne({ _id: 77 })).toBeNull();
      raw.close();
    });
  });
});
