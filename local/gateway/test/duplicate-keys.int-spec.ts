import { MongoBulkWriteError } from 'mongodb';
import type { Collection } from 'mongodb';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';

interface Account {
  _id: number;
  email?: string;
  tenant?: string;
}

describe('duplicate keys', () => {
  let test: TestDatabase;
  let accounts: Collection<Account>;

  beforeAll(async () => {
    test = await openDatabase();
    accounts = test.db.collection<Account>('accounts');
    await accounts.createIndex({ email: 1, tenant: 1 }, { unique: true });
    await accounts.insertMany([
      { _id: 1, email: 'a@example.org', tenant: 't' },
      { _id: 2, email: 'b@example.org', tenant: 't' },
    ]);
  });
  afterAll(() => test.close());

  const expected = {
    code: 11000,
    keyPattern: { email: 1, tenant: 1 },
    keyValue: { email: 'a@example.org', tenant: 't' },
  };

  it('are refused in an insert, with pattern, value and the message of mongod', async () => {
    const error = await serverError(accounts.insertOne({ _id: 3, email: 'a@example.org', tenant: 't' }));
    expect(error).toMatchObject(expected);
    expect(error.message).toBe(
      `E11000 duplicate key error collection: ${test.db.databaseName}.accounts index: email_1_tenant_1 dup key: { email: "a@example.org", tenant: "t" }`,
    );
  });

  it('are refused in an update', async () => {
    const update = { $set: { email: 'a@example.org', tenant: 't' } };
    expect(await serverError(accounts.updateOne({ _id: 2 }, update))).toMatchObject(expected);
  });

  it('are refused in findAndModify', async () => {
    const update = { $set: { email: 'a@example.org' } };
    expect(await serverError(accounts.findOneAndUpdate({ _id: 2 }, update))).toMatchObject(expected);
    expect(
      await serverError(accounts.findOneAndUpdate({ _id: 9, tenant: 't' }, update, { upsert: true })),
    ).toMatchObject(expected);
  });

  it('of _id name the _id', async () => {
    expect(await serverError(accounts.insertOne({ _id: 1 }))).toMatchObject({
      code: 11000,
      keyPattern: { _id: 1 },
      keyValue: { _id: 1 },
    });
  });

  it('stop an ordered batch where they occur', async () => {
    const collection = test.db.collection<Account>('ordered');
    const error = await collection.insertMany([{ _id: 1 }, { _id: 1 }, { _id: 2 }]).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MongoBulkWriteError);
    expect((error as MongoBulkWriteError).insertedCount).toBe(1);
    expect((error as MongoBulkWriteError).writeErrors).toMatchObject([{ index: 1, code: 11000 }]);
    expect(await collection.countDocuments()).toBe(1);
  });

  it('leave the rest of an unordered batch alone', async () => {
    const collection = test.db.collection<Account>('unordered');
    const batch = [{ _id: 1 }, { _id: 1 }, { _id: 2 }, { _id: 2 }, { _id: 3 }];
    const error = await collection.insertMany(batch, { ordered: false }).catch((reason: unknown) => reason);
    expect((error as MongoBulkWriteError).insertedCount).toBe(3);
    expect((error as MongoBulkWriteError).writeErrors).toMatchObject([{ index: 1 }, { index: 3 }]);
  });

  it.each([1, -1] as const)('include missing values, in an index with direction %s', async (direction) => {
    const collection = test.db.collection(`missing_${direction}`);
    await collection.createIndex({ a: 1, b: direction }, { unique: true });
    await collection.insertOne({ a: 1 });
    expect(await serverError(collection.insertOne({ a: 1, b: null }))).toMatchObject({
      code: 11000,
      keyValue: { a: 1, b: null },
    });
  });

  it('are none outside a partial index', async () => {
    const collection = test.db.collection('partial');
    await collection.createIndex({ a: 1 }, { unique: true, partialFilterExpression: { deletedAt: null } });
    await collection.insertMany([
      { a: 1, deletedAt: new Date() },
      { a: 1, deletedAt: new Date() },
      { a: 1, deletedAt: null },
    ]);
    expect((await serverError(collection.insertOne({ a: 1, deletedAt: null }))).code).toBe(11000);
  });

  it('keep a unique index from being made, and show the value', async () => {
    const collection = test.db.collection('existing');
    await collection.insertMany([{ a: 5 }, { a: 5 }]);
    const error = await serverError(collection.createIndex({ a: 1 }, { unique: true }));
    expect(error).toMatchObject({ code: 11000, keyPattern: { a: 1 }, keyValue: { a: 5 } });
    expect(await collection.indexes()).toHaveLength(1);
  });
});
