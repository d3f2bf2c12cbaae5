import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Model, type mongo, Types } from 'mongoose';
import { ApiKeys } from '../../src/platform/authentication/api-keys.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { buildParts, findModel } from '../support/parts.js';
import { waitFor } from '../support/wait-for.js';

/** As users may have from releases without a limit; a multiple of what is published at once, and some. */
const MANY = 250;
const PUBLISHED_AT_ONCE = 100;
const DAY_SECONDS = 24 * 3600;

interface StoredKey {
  _id: Types.ObjectId;
  role?: string;
  secretHash?: string;
  version: number;
  removedAt?: Date;
  unpublishedOf?: Types.ObjectId;
}

let app: NestFastifyApplication;
let keys: Model<StoredKey>;
let outbox: Model<{
  event: { type: string; subject: string; data: { version: number; grant: { role: string } | null } };
}>;
let revocations: Model<{ _id: string }>;
let apiKeys: ApiKeys;
beforeAll(async () => {
  // Without a broker nobody else takes in these events, so they are not stored.
  app = await buildParts({ EVENT_BUS: 'rabbitmq', RABBITMQ_URL: 'amqp://127.0.0.1:1' });
  [keys, outbox, revocations] = [findModel(app, 'ApiKey'), findModel(app, 'OutboxEntry'), findModel(app, 'Revocation')];
  apiKeys = app.get(ApiKeys);
});

async function createMany(): Promise<{ user: string; ids: string[] }> {
  const user = new Types.ObjectId();
  const fields = {
    user,
    name: 'old',
    scopes: ['notifications:read'],
    role: 'admin',
    expiresAt: null,
    createdAt: new Date(),
  };
  const documents = Array.from({ length: MANY }, (_, index) => ({
    ...{ ...fields, _id: new Types.ObjectId(), secretHash: String(index), version: 1 + (index % 2) },
  }));
  await keys.collection.insertMany(documents);
  return { user: String(user), ids: documents.map(({ _id }) => String(_id)) };
}

/** @returns the statements of the transaction in which `work` runs: command, collection, how many documents it sends */
async function statementsOf(work: (session: mongo.ClientSession) => Promise<void>): Promise<string[]> {
  const statements: string[] = [];
  let isOver = false;
  const onCommand = ({ commandName, command }: mongo.CommandStartedEvent) => {
    if (isOver || !('autocommit' in command)) return; // what follows has transactions of its own
    isOver = commandName === 'commitTransaction';
    const sent = (command['updates'] ?? command['documents'] ?? []) as unknown[];
    statements.push(`${commandName} ${String(command[commandName])} ${sent.length}`);
  };
  const client = keys.db.getClient();
  client.on('commandStarted', onCommand);
  await app.get(Transactions).run(work);
  client.off('commandStarted', onCommand);
  return statements;
}

async function untilPublished(): Promise<void> {
  await waitFor('all to be published', async () => (await keys.exists({ unpublishedOf: { $exists: true } })) === null);
}

async function newestEventsOf(ids: string[]) {
  const entries = await outbox.find({ 'event.subject': { $in: ids } }).lean();
  const newest = new Map<string, (typeof entries)[number]['event']['data']>();
  for (const { event } of entries) {
    if ((newest.get(event.subject)?.version ?? 0) < event.data.version) newest.set(event.subject, event.data);
  }
  return newest;
}

describe('many API keys of a user', () => {
  it('get another role in one statement, and an event for each key reaches other processes', async () => {
    const { user, ids } = await createMany();
    const statements = await statementsOf((session) => apiKeys.changeRole(user, 'user', session));
    expect(statements).toEqual([
      'find apikeys 0',
      'update apikeys 1',
      `insert outbox ${PUBLISHED_AT_ONCE}`,
      'commitTransaction 1 0',
    ]);
    expect(await keys.countDocuments({ _id: { $in: ids }, role: 'user' })).toBe(MANY);
    await untilPublished();
    const events = await newestEventsOf(ids);
    expect(events.size).toBe(MANY);
    const stored = await keys.find({ _id: { $in: ids } }).lean();
    for (const { _id, version } of stored) {
      expect(events.get(String(_id))).toMatchObject({ version, grant: { role: 'user', userId: user } });
    }
  });

  it('are removed in one statement, and an event for each key reaches other processes', async () => {
    const { user, ids } = await createMany();
    const statements = await statementsOf((session) => apiKeys.removeAll(user, session));
    expect(statements).toEqual([
      'find apikeys 0',
      'update apikeys 1',
      `insert outbox ${PUBLISHED_AT_ONCE}`,
      `update revocations ${PUBLISHED_AT_ONCE}`,
      'insert outbox 1',
      'commitTransaction 1 0',
    ]);
    expect(await keys.countDocuments({ _id: { $in: ids }, removedAt: null })).toBe(0);
    await untilPublished();
    const events = await newestEventsOf(ids);
    expect([events.size, [...events.values()].some(({ grant }) => grant)]).toEqual([MANY, false]);
    expect(await revocations.countDocuments({ _id: { $in: ids.map((id) => `key:${id}`) } })).toBe(MANY);
    const stored = await keys.collection.find({ _id: { $in: ids.map((id) => new Types.ObjectId(id)) } }).toArray();
    for (const key of stored) expect(Object.keys(key).sort()).toEqual(['_id', 'removedAt', 'version']);
  });
});

it('expired API keys are deleted by the database after 30 days', async () => {
  const indexes = await keys.collection.indexes();
  expect(indexes).toContainEqual(
    expect.objectContaining({ key: { expiresAt: 1 }, expireAfterSeconds: 30 * DAY_SECONDS }),
  );
});
