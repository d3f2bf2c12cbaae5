import { Long } from 'mongodb';
import type { ClientSession, Collection } from 'mongodb';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';

describe('cursors', () => {
  let test: TestDatabase;
  let numbers: Collection<{ _id: number; back: number }>;

  beforeAll(async () => {
    test = await openDatabase();
    numbers = test.db.collection('numbers');
    await numbers.insertMany(Array.from({ length: 1000 }, (_, n) => ({ _id: n, back: 1000 - n })));
  });
  afterAll(() => test.close());

  /** A cursor with pages left, whose id a driver would keep to itself. */
  async function openCursor(session?: ClientSession): Promise<Long> {
    const { cursor } = (await test.db.command({ find: 'numbers', batchSize: 2 }, { session, promoteLongs: false })) as {
      cursor: { id: Long };
    };
    return cursor.id;
  }

  it('give every document once over many pages', async () => {
    const found = await numbers.find({}, { batchSize: 7 }).toArray();
    expect(new Set(found.map(({ _id }) => _id)).size).toBe(1000);
    expect(found).toHaveLength(1000);
  });

  it('keep the order of a sort that no index serves', async () => {
    const found = await numbers.find({}, { batchSize: 33 }).sort({ back: 1 }).toArray();
    expect(found.map(({ back }) => back)).toEqual(Array.from({ length: 1000 }, (_, n) => n + 1));
  });

  it('give every document once under a time limit', async () => {
    const limited = await numbers.find({}, { batchSize: 100, maxTimeMS: 10_000 }).toArray();
    expect(new Set(limited.map(({ _id }) => _id)).size).toBe(1000);
  });

  it('page through an aggregation', async () => {
    const found = await numbers.aggregate([{ $group: { _id: { $mod: ['$_id', 500] } } }], { batchSize: 10 }).toArray();
    expect(found).toHaveLength(500);
  });

  it('stay apart when several hundred are open at once', async () => {
    const cursors = Array.from({ length: 300 }, (_, n) =>
      numbers.find({ _id: { $gte: n } }, { batchSize: 2 }).sort({ back: -1 }),
    );
    const first = await Promise.all(cursors.map((cursor) => cursor.next()));
    const rest = await Promise.all(cursors.map(async (cursor) => [await cursor.next(), await cursor.next()]));
    await Promise.all(cursors.map((cursor) => cursor.close()));
    expect(first.map((document) => document?._id)).toEqual(Array.from({ length: 300 }, (_, n) => n));
    expect(rest.map(([, third]) => third?._id)).toEqual(Array.from({ length: 300 }, (_, n) => n + 2));
  });

  it('that do not exist are answered with 43', async () => {
    const error = await serverError(test.db.command({ getMore: Long.fromNumber(12345), collection: 'numbers' }));
    expect(error).toMatchObject({ code: 43, codeName: 'CursorNotFound' });
  });

  it('are gone after they have been killed', async () => {
    const id = await openCursor();
    const killed = await test.db.command({ killCursors: 'numbers', cursors: [id, Long.fromNumber(1)] });
    expect(killed).toMatchObject({ cursorsKilled: [id.toNumber()], cursorsNotFound: [1] });
    expect((await serverError(test.db.command({ getMore: id, collection: 'numbers' }))).code).toBe(43);
  });

  it('are bound to their collection', async () => {
    const id = await openCursor();
    const error = await serverError(test.db.command({ getMore: id, collection: 'others' }));
    expect(error.code).toBe(13);
  });

  it('end with their session', async () => {
    const session = test.client.startSession();
    const id = await openCursor(session);
    await test.db.admin().command({ endSessions: [session.id] });
    const more = test.db.command({ getMore: id, collection: 'numbers' }, { session });
    expect((await serverError(more)).code).toBe(43);
    await session.endSession();
  });

  it('end with their collection', async () => {
    const collection = test.db.collection('short-lived');
    await collection.insertMany(Array.from({ length: 10 }, (_, n) => ({ n })));
    const cursor = collection.find({}, { batchSize: 2 });
    await cursor.next();
    await collection.drop();
    await cursor.next();
    expect((await serverError(cursor.next())).code).toBe(43);
  });

  it('work inside a transaction and see what it wrote', async () => {
    await test.client.withSession((session) =>
      session.withTransaction(async () => {
        await numbers.insertOne({ _id: 5000, back: 0 }, { session });
        const found = await numbers.find({}, { session, batchSize: 100 }).sort({ back: 1 }).toArray();
        expect(found).toHaveLength(1001);
        expect(found[0]?._id).toBe(5000);
        await numbers.deleteOne({ _id: 5000 }, { session });
      }),
    );
  });
});
