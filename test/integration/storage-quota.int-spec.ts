import { getConnectionToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { type Connection, Types } from 'mongoose';
import { KeysEnvironment } from '../../src/config/areas/keys.environment.js';
import { COUNT_ATTACHMENT_BYTES } from '../../src/modules/tasks/migrations/count-attachment-bytes.js';
import { IndexSynchronizer } from '../../src/platform/database/index-synchronizer.js';
import { Transactions } from '../../src/platform/database/transactions.js';
import { Ledger } from '../../src/platform/migrations/ledger.js';
import { MigrationRegistry } from '../../src/platform/migrations/migration-registry.js';
import { Migrator } from '../../src/platform/migrations/migrator.js';
import { StorageQuota } from '../../src/platform/storage/storage-quota.js';
import { buildParts } from '../support/parts.js';

const LIMIT = 1000;

let app: NestFastifyApplication;
let connection: Connection;
let quota: StorageQuota;
beforeAll(async () => {
  app = await buildParts({ QUOTA_FILES_BYTES: String(LIMIT) });
  connection = app.get<Connection>(getConnectionToken());
  quota = app.get(StorageQuota);
});

const newPath = (user: string, task = 't') => ['attachments', user, task, String(new Types.ObjectId())];
const newUser = () => String(new Types.ObjectId());
const reserve = (path: string[], size: number) =>
  app.get(Transactions).run((session) => quota.reserve(path, size, session));
const bytesOf = async (user: string) =>
  (await connection.collection<{ bytes: number }>('storageusages').findOne({ _id: new Types.ObjectId(user) } as object))
    ?.bytes ?? 0;

it('reserves what there is, to the byte, and nothing with a transaction that fails', async () => {
  const user = newUser();
  await reserve(newPath(user), LIMIT - 1);
  await expect(reserve(newPath(user), 2)).rejects.toMatchObject({ code: 'LIMIT_REACHED', status: 409 });
  expect(await bytesOf(user)).toBe(LIMIT - 1);
  await reserve(newPath(user), 1);
  expect(await bytesOf(user)).toBe(LIMIT);
});

it('releases an object once, all of a folder, and nothing whose key only begins alike', async () => {
  const user = newUser();
  const [one, two, other] = [newPath(user), newPath(user), newPath(user, 't2')];
  for (const path of [one, two, other]) await reserve(path, 10);
  await quota.release(one);
  await quota.release(one);
  expect(await bytesOf(user)).toBe(20);
  await quota.release(one.slice(0, 3));
  expect(await bytesOf(user)).toBe(10);
  await quota.release(one.slice(0, 2));
  expect(await bytesOf(user)).toBe(0);
});

it('counts the attachments of earlier releases, each once, also in tasks that can be restored', async () => {
  const user = new Types.ObjectId();
  const attachment = (size: number) => ({ id: new Types.ObjectId(), filename: 'a', contentType: 'text/csv', size });
  const task = (...attachments: object[]) => ({ _id: new Types.ObjectId(), user, attachments });
  const counted = task(attachment(7));
  await reserve(
    ['attachments', String(user), String(counted._id), String((counted.attachments[0] as { id: unknown }).id)],
    7,
  );
  await connection.collection('tasks').insertMany([counted, task(attachment(1), attachment(20)), task(), { user }]);
  await connection.collection('deletedtasks').insertOne(task(attachment(300)));
  const registry = new MigrationRegistry();
  registry.add('tasks', COUNT_ATTACHMENT_BYTES);
  const parts = [connection, app.get(KeysEnvironment), app.get(IndexSynchronizer), registry, app.get(Ledger)] as const;
  await new Migrator(...parts).migrate({ contract: true, report: () => undefined });
  expect(await bytesOf(String(user))).toBe(328);
  const ids = COUNT_ATTACHMENT_BYTES.map(({ id }) => `tasks.${id}`);
  const entries = await connection
    .collection('migrations')
    .find({ _id: { $in: ids } } as object)
    .toArray();
  expect(entries.map(({ changed }) => changed as number)).toEqual([3, 0]);
});
