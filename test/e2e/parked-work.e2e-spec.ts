import { ObjectId } from 'mongodb';
import { NotFoundError, UsageError } from '../../src/cli/command.js';
import { ParkedWork } from '../../src/cli/work/parked-work.js';
import { queuesOf } from '../../src/cli/work/queues.js';
import { MODULES } from '../../src/contracts/modules.js';
import { databaseOf } from '../support/database.js';
import { environmentFor, newDatabaseName, runCli } from '../support/service.js';

const NOW = new Date('2026-01-01T00:00:00Z');
const parked = (fields: object) => ({
  _id: new ObjectId(),
  ...{ state: 'parked', attempts: 20, lease: null, lastError: 'Error: boom', availableAt: NOW, createdAt: NOW },
  ...fields,
});
const event = { id: 'e-1', type: 'tasks.task-created.v1', subject: 'a', data: { title: 'private title' } };
const first = parked({ event });
const second = parked({ event });
const listed = parked({ event });
const text = parked({
  ...{ channel: 'sms', event: 'task.reminder', user: new ObjectId(), to: '+4915112345678', token: 't' },
  lastError: 'MongoServerError: E11000 duplicate key error collection: api.emails dup key: { _id: "ada@example.org" }',
});
const busy = parked({ event, state: 'ready' });
const mail = parked({
  channel: 'email',
  event: 'task.reminder',
  user: new ObjectId(),
  to: 'ada@example.org',
  token: 't',
});
const push = parked({ channel: 'push', event: 'task.reminder', user: new ObjectId() });

const environment = environmentFor(newDatabaseName());
const database = databaseOf({ mongodbUri: environment['MONGODB_URI']! });
const cli = (...args: string[]) => runCli({ environment }, ['work', ...args]);
const stateOf = async (collection: string, { _id }: { _id: ObjectId }) =>
  (await database.collection(collection).findOne({ _id }))?.['state'] as string | undefined;

beforeAll(async () => {
  await database.collection('outbox').insertMany([first, second, listed, busy]);
  await database.collection('deliveries').insertMany([mail, push, text]);
});

describe('cli work', () => {
  it('lists and shows what was given up, and nothing of what it carries', async () => {
    const { code, output } = await cli('list');
    expect(code).toBe(0);
    for (const { _id } of [listed, text]) expect(output).toContain(_id.toHexString());
    expect(output).not.toContain(busy._id.toHexString());
    expect(output).toContain('Error: boom');
    const shown = await cli('show', 'sms', text._id.toHexString());
    expect(shown.output).toContain('task.reminder');
    expect(output).toContain('E11000 duplicate key error collection: api.emails dup key: { _id: [value] }');
    expect(output + shown.output).not.toMatch(/private title|4915112345678|token|ada@/);
  });

  it('retries one, or all of a queue, and no other', async () => {
    expect(await cli('retry', 'outbox', first._id.toHexString())).toMatchObject({ code: 0 });
    expect(await database.collection('outbox').findOne({ _id: first._id })).toMatchObject({
      ...{ state: 'ready', attempts: 0, availableAt: expect.any(Date) as Date },
    });
    expect(await stateOf('outbox', second)).toBe('parked');
    const { code, output } = await cli('retry', 'email', '--all', '--json');
    expect([code, output]).toEqual([0, expect.stringContaining('{"queue":"email","retried":1}')]);
    expect([await stateOf('deliveries', mail), await stateOf('deliveries', push)]).toEqual(['ready', 'parked']);
  });

  it('drops an event, and keeps a delivery as the record that it failed', async () => {
    expect(await cli('drop', 'outbox', second._id.toHexString())).toMatchObject({ code: 0 });
    expect(await cli('drop', 'push', push._id.toHexString())).toMatchObject({ code: 0 });
    expect([await stateOf('outbox', second), await stateOf('deliveries', push)]).toEqual([undefined, 'failed']);
  });

  it('ends with 1 where there is no such item: nothing is wrong with the call', async () => {
    const { code, output } = await cli('show', 'outbox', new ObjectId().toHexString());
    expect([code, output]).toEqual([1, expect.stringMatching(/^The queue outbox has no item \w+\.\n$/)]);
  });

  it.each([
    ['a queue that there is not', (work: ParkedWork) => work.list('fax', 1), 'The queue must be one of outbox, '],
    ['an id that is none', (work: ParkedWork) => work.show('outbox', 'x'), '24 hexadecimal digits'],
  ])('refuses %s', async (_, use, message) => {
    const work = new ParkedWork(database as never, queuesOf(MODULES));
    await expect(use(work)).rejects.toEqual(expect.objectContaining({ constructor: UsageError }));
    await expect(use(work)).rejects.toThrow(message);
  });

  it('leaves an item alone that is being worked on', async () => {
    const work = new ParkedWork(database as never, queuesOf(MODULES));
    await expect(work.drop('outbox', busy._id.toHexString())).rejects.toThrow(NotFoundError);
    expect(await stateOf('outbox', busy)).toBe('ready');
  });

  it('refuses to retry without saying which, in one sentence', async () => {
    const { code, output } = await cli('retry', 'outbox');
    expect([code, output]).toEqual([2, 'Name one item by its id, or all with --all.\n']);
  });
});
