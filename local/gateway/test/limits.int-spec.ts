import { UUID, deserialize, serialize } from 'bson';
import type { Document } from 'bson';
import { Long } from 'mongodb';
import { parseRequest } from '../src/command-request.js';
import { CURSOR_TIMEOUT_MS } from '../src/cursors.js';
import { dispatch } from '../src/dispatcher.js';
import { Services } from '../src/services.js';
import { SESSION_TIMEOUT_MINUTES } from '../src/sessions.js';
import { TRANSACTION_IDLE_LIMIT_MS } from '../src/transactions.js';
import { postgresUrl } from './support/gateway-process.js';

const DB = 'gateway_test_limits';

describe('limits on what rests', () => {
  let services: Services;

  beforeAll(async () => {
    const { hostname: host, port } = new URL(postgresUrl());
    services = new Services({ host, port: Number(port), user: 'postgres', database: 'postgres' });
    await command({ insert: 'numbers', documents: [{ _id: 1 }, { _id: 2 }, { _id: 3 }] });
  });
  afterAll(async () => {
    await command({ dropDatabase: 1 });
    await services.close();
  });

  async function command(document: Document): Promise<Document> {
    const body = Buffer.from(serialize({ ...document, $db: DB }));
    const message = { requestId: 1, opCode: 2013, body, sequences: [], queryDatabase: null, expectsReply: true };
    return deserialize(await dispatch(services, { id: 1, address: 'test' }, parseRequest(message)), {
      promoteLongs: false,
    });
  }

  const inTransaction = { lsid: { id: new UUID() }, txnNumber: Long.fromNumber(1), autocommit: false };

  it('roll a transaction back that nobody has used for a minute', async () => {
    const insert = { insert: 'numbers', documents: [{ _id: 9 }] };
    await command({ ...insert, ...inTransaction, startTransaction: true });
    await services.sessions.sweep(Date.now() + TRANSACTION_IDLE_LIMIT_MS - 1000);
    expect(await command({ find: 'numbers', ...inTransaction })).toMatchObject({ ok: 1 });
    await services.sessions.sweep(Date.now() + TRANSACTION_IDLE_LIMIT_MS + 1000);
    const reply = await command({ find: 'numbers', ...inTransaction });
    expect(reply).toMatchObject({ ok: 0, code: 251, errorLabels: ['TransientTransactionError'] });
    expect(await command({ count: 'numbers' })).toMatchObject({ n: 3 });
  });

  it('kill a cursor that nobody has used for ten minutes, unless it asked not to', async () => {
    const find = { find: 'numbers', batchSize: 1 };
    const open = async (options: Document): Promise<Long> =>
      ((await command({ ...find, ...options }))['cursor'] as Document)['id'] as Long;
    const [usual, patient] = [await open({}), await open({ noCursorTimeout: true })];
    services.cursors.sweep(Date.now() + CURSOR_TIMEOUT_MS + 1000);
    expect(await command({ getMore: usual, collection: 'numbers' })).toMatchObject({ ok: 0, code: 43 });
    expect(await command({ getMore: patient, collection: 'numbers' })).toMatchObject({ ok: 1 });
  });

  it('end a session, and its cursors with it, after half an hour', async () => {
    const lsid = { id: new UUID() };
    const { cursor } = (await command({ find: 'numbers', batchSize: 1, lsid })) as { cursor: { id: Long } };
    await services.sessions.sweep(Date.now() + SESSION_TIMEOUT_MINUTES * 60_000 + 1000);
    expect(await command({ getMore: cursor.id, collection: 'numbers', lsid })).toMatchObject({
      ok: 0,
      code: 43,
    });
  });
});
