import { type Connection, type Model, mongo, Schema } from 'mongoose';
import { Transactions } from '../../src/platform/database/transactions.js';
import { connect, modelOf } from '../support/parts.js';

interface Counter {
  _id: string;
  value: number;
}

let connection: Connection;
let counters: Model<Counter>;
let transactions: Transactions;

beforeAll(async () => {
  connection = await connect();
  counters = await modelOf(connection, 'Counter', new Schema<Counter>({ _id: String, value: Number }));
  transactions = new Transactions(connection);
});
beforeEach(async () => {
  await counters.deleteMany({});
  await counters.create({ _id: 'a', value: 0 });
});

const valueOf = async (_id: string) => (await counters.findById(_id).lean())?.value;

describe('a transaction', () => {
  it('is both or neither', async () => {
    const failing = transactions.run(async (session) => {
      await counters.updateOne({ _id: 'a' }, { $set: { value: 1 } }, { session });
      await counters.create([{ _id: 'b', value: 1 }], { session });
      throw new Error('on second thoughts');
    });
    await expect(failing).rejects.toThrow('on second thoughts');
    expect([await valueOf('a'), await valueOf('b')]).toEqual([0, undefined]);
  });

  it('is repeated when it meets another one, so that no change is lost', async () => {
    let attempts = 0;
    const increment = () =>
      transactions.run(async (session) => {
        attempts++;
        const counter = await counters.findById('a', null, { session }).lean();
        await counters.updateOne({ _id: 'a' }, { $set: { value: (counter?.value ?? 0) + 1 } }, { session });
      });
    await Promise.all(Array.from({ length: 8 }, increment));
    expect(await valueOf('a')).toBe(8);
    expect(attempts).toBeGreaterThan(8);
  });

  it('shows nobody anything before its commit', async () => {
    await transactions.run(async (session) => {
      await counters.updateOne({ _id: 'a' }, { $set: { value: 1 } }, { session });
      expect(await valueOf('a')).toBe(0);
    });
    expect(await valueOf('a')).toBe(1);
  });
});

describe('afterCommit', () => {
  it('runs after the commit and before the result is given', async () => {
    const seen: unknown[] = [];
    const result = await transactions.run(async (session) => {
      transactions.afterCommit(session, async () => void seen.push(await valueOf('a')));
      await counters.updateOne({ _id: 'a' }, { $set: { value: 1 } }, { session });
      return 'result';
    });
    expect([result, seen]).toEqual(['result', [1]]);
  });

  it('runs once, however often the transaction is repeated', async () => {
    let attempts = 0;
    let callbacks = 0;
    await transactions.run(async (session) => {
      transactions.afterCommit(session, () => void callbacks++);
      await counters.updateOne({ _id: 'a' }, { $inc: { value: 1 } }, { session });
      if (++attempts < 3) {
        const conflict = new mongo.MongoServerError({ message: 'WriteConflict', code: 112 });
        conflict.addErrorLabel('TransientTransactionError');
        throw conflict;
      }
    });
    expect([attempts, callbacks, await valueOf('a')]).toEqual([3, 1, 1]);
  });

  it('runs never where nothing was committed', async () => {
    let callbacks = 0;
    const failing = transactions.run(async (session) => {
      transactions.afterCommit(session, () => void callbacks++);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(callbacks).toBe(0);
  });
});
