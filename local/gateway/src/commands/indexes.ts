import { deserialize, serialize } from 'bson';
import type { Document } from 'bson';
import { collectionName, engineSpec } from '../command-request.js';
import type { CommandRequest } from '../command-request.js';
import { elementOf } from '../wire/command-document.js';
import { MongoError, codeNameOf } from '../errors.js';
import { documentInDetail, keyError } from '../duplicate-key.js';
import { PgError } from '../postgres/pg-error.js';
import { codeOfSqlState, unpackSqlState } from '../sql-states.js';
import type { CommandContext, CommandHandler } from './command.js';
import { onlyValue, reply } from './command.js';

/**
 * Built at once, in the statement's own transaction. The engine's other way queues them for a job that looks
 * every two seconds, which nobody who waits for `createIndexes` would like.
 */
const CREATE = 'select documentdb_api_internal.create_indexes_non_concurrently($1, $2, $3::text::bool)';
const LIST = 'select cursorpage from documentdb_api.list_indexes_cursor_first_page($1, $2)';
const DROP = 'call documentdb_api.drop_indexes($1, $2, null)';

/** Fields of the command that only matter with several nodes. */
const CREATE_HINTS = ['commitQuorum'];

interface ShardResult {
  numIndexesBefore?: number;
  numIndexesAfter?: number;
  createdCollectionAutomatically?: boolean;
  note?: string;
  code?: number;
  errmsg?: string;
}

interface CreateResult extends ShardResult {
  raw?: { defaultShard?: ShardResult };
}

export const createIndexes: CommandHandler = async (context) => {
  const { request, executor, services, transaction } = context;
  const collection = collectionName(request);
  const parameters = [request.db, indexSpec(request), transaction ? 'false' : 'true'];
  const build = (): Promise<Buffer> => executor.run({ text: CREATE, parameters }).then(onlyValue);
  let result: CreateResult;
  try {
    result = deserialize(await (transaction ? build() : services.collections.change(request.db, build)));
  } catch (error) {
    if (error instanceof PgError && codeOfSqlState(error.sqlState) === 11000)
      throw duplicateInData(context, collection, error);
    throw error;
  }
  const { code, errmsg, ...numbers } = result.raw?.defaultShard ?? result;
  if (code === undefined) return reply(numbers);
  const mongoCode = codeOfSqlState(unpackSqlState(code)) ?? 1;
  throw new MongoError(mongoCode, errmsg ?? codeNameOf(mongoCode));
};

/**
 * The engine's ordered indexes do not take two missing values of a descending key for duplicates, as MongoDB
 * does; its unordered ones do. A unique index that would be concerned is made unordered: it guards, but sorts
 * are not served by it.
 */
function indexSpec(request: CommandRequest): Buffer {
  const { indexes } = deserialize(request.body.bytes, { promoteValues: false }) as { indexes?: IndexSpec[] };
  const isConcerned = ({ unique, sparse, key }: IndexSpec): boolean =>
    unique === true && sparse !== true && Object.values(key ?? {}).some((direction) => Number(direction) < 0);
  if (!Array.isArray(indexes) || !indexes.some(isConcerned)) return engineSpec(request, CREATE_HINTS);
  const adjusted = indexes.map((index) => (isConcerned(index) ? { ...index, enableOrderedIndex: false } : index));
  return engineSpec(request, [...CREATE_HINTS, 'indexes'], [elementOf('indexes', adjusted)]);
}

interface IndexSpec extends Document {
  key?: Document;
  unique?: boolean;
  sparse?: boolean;
}

/** The data already there breaks the index: mongod's message, with the values from PostgreSQL's detail. */
function duplicateInData({ request }: CommandContext, collection: string, error: PgError): MongoError {
  const { indexes = [] } = deserialize(request.body.bytes) as {
    indexes?: { key: Document; name: string; unique?: boolean }[];
  };
  const index = indexes.find(({ unique }) => unique) ?? { key: {}, name: '' };
  return keyError(`${request.db}.${collection}`, index, documentInDetail(error.detail) ?? {}, undefined);
}

export const dropIndexes: CommandHandler = async (context) => {
  const { request, executor, services } = context;
  collectionName(request);
  const parameters = [request.db, engineSpec(request)];
  const drop = (): Promise<Buffer> => executor.run({ text: DROP, parameters }).then(onlyValue);
  const { nIndexesWas } = deserialize(await services.collections.change(request.db, drop));
  return reply({ nIndexesWas: Number(nIndexesWas) });
};

export const listIndexes: CommandHandler = async ({ request, executor }) => {
  collectionName(request);
  const parameters = [request.db, engineSpec(request)];
  const page = deserialize(onlyValue(await executor.run({ text: LIST, parameters }, { isRead: true })), {
    promoteLongs: false,
  });
  const { cursor } = page as { cursor: { firstBatch: Document[] } };
  cursor.firstBatch = cursor.firstBatch.map(withoutEngineOptions);
  return Buffer.from(serialize(page));
};

/** `storageEngine` tells of the engine's own index kinds; clients that compare indexes would see a difference. */
function withoutEngineOptions({ storageEngine: _storageEngine, ...index }: Document): Document {
  return index;
}
