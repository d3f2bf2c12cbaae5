import { deserialize } from 'bson';
import { collectionName, engineSpec } from '../command-request.js';
import { duplicateKeyError } from '../duplicate-key.js';
import { MongoError } from '../errors.js';
import { toMongoError } from '../error-translation.js';
import type { CommandHandler } from './command.js';
import { onlyValue } from './command.js';

const TEXT = 'select p_result from documentdb_api.find_and_modify($1, $2)';

/** `findAndModify`, also under its old lower-case name. */
export const findAndModify: CommandHandler = async (context) => {
  const { request, services, executor } = context;
  const collection = collectionName(request);
  if (request.body.boolean('upsert')) await services.collections.ensure(request.db, collection);
  try {
    const statement = { text: TEXT, parameters: [request.db, engineSpec(request)] };
    return onlyValue(await executor.run(statement, { maxTimeMS: request.maxTimeMS }));
  } catch (cause) {
    const error = toMongoError(cause);
    if (error.code !== 11000) throw cause;
    const { query, update, upsert } = deserialize(request.body.bytes);
    const duplicate = await duplicateKeyError(context, collection, error.message, { q: query, u: update, upsert });
    throw new MongoError('DuplicateKey', duplicate.message, duplicate.extra);
  }
};
