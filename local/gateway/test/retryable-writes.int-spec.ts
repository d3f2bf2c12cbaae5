import { UUID } from 'bson';
import type { Document } from 'bson';
import { Long } from 'mongodb';
import { openDatabase } from './support/database.js';
import type { TestDatabase } from './support/database.js';
import { RawClient } from './support/raw-client.js';

describe('retryable writes', () => {
  let test: TestDatabase;
  let raw: RawClient;

  beforeAll(async () => {
    test = await openDatabase();
    raw = await RawClient.open(test.gateway.port);
  });
  afterAll(async () => {
    raw.close();
    await test.close();
  });

  function write(command: Document, session: UUID, txnNumber: number): Document {
    return { ...command, $db: test.db.databaseName, lsid: { id: session }, txnNumber: Long.fromNumber(txnNumber) };
  }

  const increment = { update: 'counters', updates: [{ q: { _id: 1 }, u: { $inc: { n: 1 } }, upsert: true }] };
  const value = (): Promise<Document | null> => test.db.collection<{ _id: number }>('counters').findOne({ _id: 1 });

  beforeEach(() => test.db.collection('counters').deleteMany({}));

  it('are applied once however often they are sent, and answered alike', async () => {
    const session = new UUID();
    const first = await raw.command(write(increment, session, 1));
    const other = await RawClient.open(test.gateway.port);
    expect(await other.command(write(increment, session, 1))).toEqual(first);
    other.close();
    expect(await value()).toMatchObject({ n: 1 });
  });

  it('wait for the first one when they come while it still runs', async () => {
    const session = new UUID();
    const clients = await Promise.all(Array.from({ length: 5 }, () => RawClient.open(test.gateway.port)));
    const modify = {
      findAndModify: 'counters',
      query: { _id: 1 },
      update: { $inc: { n: 1 } },
      upsert: true,
      new: true,
    };
    const replies = await Promise.all(clients.map((client) => client.command(write(modify, session, 1))));
    for (const client of clients) client.close();
    expect(replies.map((reply) => reply['value'] as Document)).toMatchObject([
      { n: 1 },
      { n: 1 },
      { n: 1 },
      { n: 1 },
      { n: 1 },
    ]);
  });

  it('are applied again under the next number', async () => {
    const session = new UUID();
    await raw.command(write(increment, session, 1));
    await raw.command(write(increment, session, 2));
    expect(await value()).toMatchObject({ n: 2 });
  });

  it('are refused under a number that is over', async () => {
    const session = new UUID();
    await raw.command(write(increment, session, 5));
    expect(await raw.command(write(increment, session, 4))).toMatchObject({ ok: 0, code: 225 });
  });

  it('run again when they failed as a whole', async () => {
    const session = new UUID();
    const broken = { findAndModify: 'counters', query: { _id: 1 }, update: { $nonsense: 1 } };
    expect(await raw.command(write(broken, session, 1))).toMatchObject({ ok: 0 });
    expect(await raw.command(write(increment, session, 1))).toMatchObject({ ok: 1, n: 1 });
  });

  it('need a session', async () => {
    const reply = await raw.command({ ...increment, $db: test.db.databaseName, txnNumber: Long.fromNumber(1) });
    expect(reply).toMatchObject({ ok: 0, code: 72 });
  });
});
