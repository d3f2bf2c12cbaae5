import { type Connection, type Model, mongo, Schema } from 'mongoose';
import { requestContext } from '../../src/common/http/request-context.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { OverloadedError } from '../../src/platform/overload/overloaded.error.js';
import { connect, deferred, isPending, modelOf, newEnvironment } from '../support/parts.js';

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
  transactions = new Transactions(connection, newEnvironment());
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
      transactions.afterCommit(async () => void seen.push(await valueOf('a')), session);
      await counters.updateOne({ _id: 'a' }, { $set: { value: 1 } }, { session });
      return 'result';
    });
    expect([result, seen]).toEqual(['result', [1]]);
  });

  it('runs once, however often the transaction is repeated', async () => {
    let attempts = 0;
    let callbacks = 0;
    await transactions.run(async (session) => {
      transactions.afterCommit(() => void callbacks++, session);
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
      transactions.afterCommit(() => void callbacks++, session);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(callbacks).toBe(0);
  });
});

describe('enclose', () => {
  const set = (_id: string, value: number) =>
    transactions.run(async (session) => {
      await counters.updateOne({ _id }, { $set: { value } }, { session, upsert: true });
      return value;
    });
  const nothing = () => Promise.resolve();

  it('makes one transaction of several, and of what finishes them', async () => {
    const committed: unknown[] = [];
    const result = await transactions.enclose(
      async () => {
        await set('a', 1);
        committed.push(await valueOf('a'));
        return await set('b', 2);
      },
      async (value, session) => {
        transactions.afterCommit(async () => void committed.push(await valueOf('a')), session);
        await counters.create([{ _id: 'c', value }], { session });
      },
    );
    expect([result, await valueOf('a'), await valueOf('b'), await valueOf('c')]).toEqual([2, 1, 2, 2]);
    expect(committed).toEqual([0, 1]);
  });

  it('commits nothing where finishing fails, or one of them did, caught or not', async () => {
    const fail = () => transactions.run(() => Promise.reject(new Error('no')));
    await expect(transactions.enclose(() => set('a', 1), fail)).rejects.toThrow('no');
    await expect(transactions.enclose(() => set('a', 1).then(fail), nothing)).rejects.toThrow('no');
    await expect(transactions.enclose(() => set('a', 1).then(fail).catch(nothing), nothing)).rejects.toThrow('no');
    expect(await valueOf('a')).toBe(0);
  });

  it("is over when it is over: what it began and didn't wait for has a transaction of its own", async () => {
    let late: Promise<number> = Promise.resolve(0);
    const gate = deferred();
    await transactions.enclose(async () => {
      late = gate.promise.then(() => set('b', 2));
      await set('a', 1);
    }, nothing);
    gate.resolve();
    expect([await late, await valueOf('b')]).toEqual([2, 2]);
  });
});

describe('of many transactions', () => {
  const MAX_WAIT_MS = 8000;
  /** Only one of a request at a time, since half of the pool is for them. */
  let one: Transactions;
  beforeAll(async () => {
    const environment = newEnvironment({ TRANSACTION_MAX_WAIT_MS: String(MAX_WAIT_MS) });
    one = new Transactions(await connect({ maxPoolSize: 2 }), environment);
  });
  const inRequest = <T>(work: () => Promise<T>, startedAt = performance.now()) =>
    requestContext.run({ requestId: 'a request', startedAt, ip: '192.0.2.1' }, work);

  it('as many run at once as half of the pool has connections, and the rest waits', async () => {
    const gate = deferred();
    const first = inRequest(() => one.run(() => gate.promise));
    const second = inRequest(() => one.run(() => Promise.resolve('second')));
    expect(await isPending(second)).toBe(true);
    gate.resolve();
    await first;
    expect(await second).toBe('second');
  });

  it('one inside another waits for no place, however deep', async () => {
    const nested = (depth: number): Promise<number> =>
      one.run(async () => (depth === 0 ? 0 : 1 + (await nested(depth - 1))));
    expect(await inRequest(() => nested(3))).toBe(3);
  });

  it('one that begins after the commit of another has a place of its own', async () => {
    const gate = deferred();
    const outer = inRequest(() =>
      one.run((session) => {
        one.afterCommit(() => one.run(() => Promise.resolve()), session);
        return gate.promise;
      }),
    );
    const waiting = inRequest(() => one.run(() => Promise.resolve('waiting')));
    gate.resolve();
    await outer;
    expect(await waiting).toBe('waiting');
  });

  it('one of a request is refused when it had to wait for too long; one of the background never is', async () => {
    const longAgo = performance.now() - MAX_WAIT_MS - 1;
    await expect(inRequest(() => one.run(() => Promise.resolve()), longAgo)).rejects.toThrow(OverloadedError);
    const gate = deferred();
    const first = one.run(() => gate.promise);
    const second = one.run(() => Promise.resolve('second'));
    expect(await isPending(second)).toBe(true);
    gate.resolve();
    await first;
    expect(await second).toBe('second');
  });

  it('one of a request that meets another one again and again is refused in time', async () => {
    let attempts = 0;
    const conflicting = inRequest(
      () =>
        one.run(() => {
          attempts++;
          const conflict = new mongo.MongoServerError({ message: 'WriteConflict', code: 112 });
          conflict.addErrorLabel('TransientTransactionError');
          return Promise.reject(conflict);
        }),
      performance.now() - MAX_WAIT_MS + 200,
    );
    await expect(conflicting).rejects.toThrow(OverloadedError);
    expect(attempts).toBeGreaterThan(1);
  });
});
