import { EJSON, deserialize, serialize } from 'bson';
import type { Document } from 'bson';
import { collectionName, engineSpec } from '../command-request.js';
import { MongoError, codeNameOf } from '../errors.js';
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

interface CreateResult extends Document {
  raw?: { defaultShard?: Document & { code?: number; errmsg?: string } };
}

export const createIndexes: CommandHandler = async (context) => {
  const { request, executor, services, transaction } = context;
  const collection = collectionName(request);
  const parameters = [request.db, engineSpec(request, CREATE_HINTS), transaction ? 'false' : 'true'];
  const build = (): Promise<Buffer> => executor.run({ text: CREATE, parameters }).then(onlyValue);
  let result: CreateResult;
  try {
    result = deserialize(await (transaction ? build() : services.collections.change(build)));
  } catch (error) {
    if (error instanceof PgError && codeOfSqlState(error.sqlState) === 11000)
      throw duplicateInData(context, collection, error);
    throw error;
  }
  const { raw, ...rest } = result;
  const shard = raw?.defaultShard ?? rest;
  if (shard.code !== undefined) {
    const code = codeOfSqlState(unpackSqlState(shard.code)) ?? 1;
    throw new MongoError(code, shard.errmsg ?? codeNameOf(code));
  }
  const { ok: _ok, ...numbers } = shard;
  return reply(numbers);
};

/** The data already there breaks the index: mongod's message, with the values from PostgreSQL's detail. */
function duplicateInData({ request }: CommandContext, collection: string, error: PgError): MongoError {
  const { indexes = [] } = deserialize(request.body.bytes) as {
    indexes?: { key: Document; name: string; unique?: boolean }[];
  };
  const index = indexes.find(({ unique }) => unique) ?? { key: {}, name: '' };
  const document = documentInDetail(error.detail);
  const keyValue = Object.fromEntries(Object.keys(index.key).map((path) => [path, document[path] ?? null]));
  const values = EJSON.stringify(keyValue);
  const message = `E11000 duplicate key error collection: ${request.db}.${collection} index: ${index.name} dup key: ${values}`;
  return new MongoError('DuplicateKey', message, { keyPattern: index.key, keyValue });
}

/** The row PostgreSQL's unique violation names, as a document; empty when it does not show one. */
export function documentInDetail(detail: string): Document {
  const start = detail.indexOf(')=({');
  const end = detail.indexOf(', { "$shard_key_value"', start);
  if (start < 0 || end < 0) return {};
  try {
    return EJSON.parse(detail.slice(start + 3, end)) as Document;
  } catch {
    return {};
  }
}

export const dropIndexes: CommandHandler = async (context) => {
  const { request, executor, services } = context;
  collectionName(request);
  const parameters = [request.db, engineSpec(request)];
  const drop = (): Promise<Buffer> => executor.run({ text: DROP, parameters }).then(onlyValue);
  const { nIndexesWas } = deserialize(await services.collections.change(drop));
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
