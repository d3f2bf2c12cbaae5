import type { FindOptions } from 'mongodb';
import { Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';

describe('reading and writing', () => {
  let test: TestDatabase;

  beforeAll(async () => {
    test = await openDatabase();
  });
  afterAll(() => test.close());

  it('gives back every type as it was stored', async () => {
    const document = {
      _id: new ObjectId(),
      text: 'ü',
      long: Long.fromString('9007199254740993'),
      double: new Double(2),
      int: new Int32(7),
      decimal: Decimal128.fromString('1.10'),
      date: new Date(5),
      none: null,
      list: [1, { a: 'b' }],
      bytes: Buffer.from([1, 2]),
    };
    const collection = test.db.collection('types');
    await collection.insertOne(document);
    const found = await collection.findOne({}, { promoteValues: false });
    expect(found).toMatchObject({
      text: 'ü',
      long: document.long,
      double: document.double,
      int: document.int,
      decimal: document.decimal,
    });
    expect(found).toMatchObject({ date: document.date, none: null });
  });

  it('counts what an update matched and what it changed', async () => {
    const collection = test.db.collection('counts');
    await collection.insertMany([{ a: 1 }, { a: 1 }, { a: 2 }]);
    const result = await collection.updateMany({ a: { $gte: 1 } }, { $set: { a: 2 } });
    expect(result).toMatchObject({ matchedCount: 3, modifiedCount: 2 });
    expect(await collection.deleteMany({ a: 2 })).toMatchObject({ deletedCount: 3 });
  });

  it('upserts once and tells the new _id', async () => {
    const collection = test.db.collection('upserts');
    const first = await collection.updateOne({ _id: 1 as never }, { $inc: { n: 1 } }, { upsert: true });
    const second = await collection.updateOne({ _id: 1 as never }, { $inc: { n: 1 } }, { upsert: true });
    expect([first.upsertedId, second.upsertedId]).toEqual([1, null]);
  });

  it('does not make a collection for an update that finds nothing', async () => {
    await test.db.collection('never').updateOne({ a: 1 }, { $set: { a: 2 } });
    expect(await test.db.listCollections({ name: 'never' }).toArray()).toEqual([]);
  });

  it('finds one, changes it and gives it back before or after', async () => {
    const collection = test.db.collection<{ _id: number; n: number }>('modified');
    await collection.insertOne({ _id: 1, n: 0 });
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } })).toEqual({ _id: 1, n: 0 });
    expect(await collection.findOneAndUpdate({ _id: 1 }, { $inc: { n: 1 } }, { returnDocument: 'after' })).toEqual({
      _id: 1,
      n: 2,
    });
    expect(await collection.findOneAndDelete({ _id: 1 })).toEqual({ _id: 1, n: 2 });
  });

  it('aggregates with facets and a lookup', async () => {
    await test.db.collection<{ _id: number }>('users').insertMany([{ _id: 1 }, { _id: 2 }]);
    await test.db.collection('tasks').insertMany([{ user: 1 }, { user: 1 }, { user: 2 }]);
    const [result] = await test.db
      .collection('tasks')
      .aggregate([
        { $lookup: { from: 'users', localField: 'user', foreignField: '_id', as: 'owner' } },
        {
          $facet: {
            total: [{ $count: 'n' }],
            perUser: [{ $group: { _id: '$user', n: { $sum: 1 } } }, { $sort: { _id: 1 } }],
          },
        },
      ])
      .toArray();
    expect(result).toEqual({
      total: [{ n: 3 }],
      perUser: [
        { _id: 1, n: 2 },
        { _id: 2, n: 1 },
      ],
    });
  });

  it('counts and lists distinct values', async () => {
    const collection = test.db.collection('distinct');
    await collection.insertMany([{ a: 1 }, { a: 2 }, { a: 2 }]);
    expect(await collection.distinct('a')).toEqual([1, 2]);
    expect(await collection.countDocuments({ a: 2 })).toBe(2);
    expect(await collection.estimatedDocumentCount()).toBe(3);
  });

  it('stores a document just below 16 MiB and refuses one above with 10334', async () => {
    const collection = test.db.collection('large');
    await collection.insertOne({ text: 'x'.repeat(15 * 1024 * 1024) });
    expect((await collection.findOne())?.text).toHaveLength(15 * 1024 * 1024);
    const error = await serverError(collection.insertOne({ text: 'x'.repeat(16 * 1024 * 1024) }));
    expect(error.code).toBe(10334);
  });

  it('takes a batch of more documents than one message holds', async () => {
    const collection = test.db.collection('batch');
    const { insertedCount } = await collection.insertMany(Array.from({ length: 60_000 }, (_, n) => ({ n })));
    expect(insertedCount).toBe(60_000);
  });

  it('stops an operation at its time limit with 50', async () => {
    const collection = test.db.collection('slow');
    await collection.insertMany(Array.from({ length: 1000 }, (_, n) => ({ n })));
    const product = { $lookup: { from: 'slow', pipeline: [{ $limit: 1000 }], as: 'all' } };
    const error = await serverError(
      collection
        .aggregate([product, { $unwind: '$all' }, product, { $unwind: '$all' }, { $count: 'n' }], { maxTimeMS: 50 })
        .toArray(),
    );
    expect(error).toMatchObject({ code: 50, codeName: 'MaxTimeMSExpired' });
  });

  it.each<[string, FindOptions, number]>([
    ['a collation', { collation: { locale: 'en', strength: 2 } }, 115],
    ['a hint at an index that is not there', { hint: 'nope' }, 2],
    ['a tailable cursor', { tailable: true }, 115],
    ['bounds of an index', { min: { _id: 1 }, hint: { _id: 1 } }, 115],
    ['a snapshot outside a transaction', { readConcern: { level: 'snapshot' } }, 72],
  ])('refuses %s instead of ignoring it', async (_name, options, code) => {
    await test.db.collection('options').insertOne({});
    expect((await serverError(test.db.collection('options').find({}, options).toArray())).code).toBe(code);
  });

  it('refuses change streams', async () => {
    const stream = test.db.collection('options').watch();
    expect((await serverError(stream.next())).code).toBe(115);
    await stream.close();
  });

  it('names databases and collections, renames and drops them', async () => {
    const collection = await test.db.createCollection('before');
    expect((await serverError(test.db.createCollection('before'))).code).toBe(48);
    await collection.rename('after');
    const names = (await test.db.listCollections({ name: { $in: ['before', 'after'] } }).toArray()).map(
      ({ name }) => name,
    );
    expect(names).toEqual(['after']);
    await test.db.collection('after').insertOne({});
    await test.db.dropCollection('after');
    expect(await test.db.collection('after').countDocuments()).toBe(0);
    const { databases } = await test.client.db('admin').admin().listDatabases();
    expect(databases.map(({ name }) => name)).toContain(test.db.databaseName);
  });
});
