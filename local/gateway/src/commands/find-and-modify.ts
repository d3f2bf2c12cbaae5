import { deserialize } from 'bson';
import type { Document } from 'bson';
import { collectionName, engineSpec, writeOptions } from '../command-request.js';
import { MAX_UPSERT_ATTEMPTS, duplicateKeyError, mayBeUpsertRace } from '../duplicate-key.js';
import { PgError } from '../postgres/pg-error.js';
import { codeOfSqlState } from '../sql-states.js';
import type { CommandHandler } from './command.js';
import { onlyValue } from './command.js';

const TEXT = 'select p_result from documentdb_api.find_and_modify($1, $2)';

interface ModifyCommand {
  query?: Document;
  update?: Document | Document[];
  upsert?: boolean;
}

/** `findAndModify`, also under its old lower-case name. */
export const findAndModify: CommandHandler = async (context) => {
  const { request, services, executor, transaction } = context;
  const collection = collectionName(request);
  if (request.body.boolean('upsert')) await services.collections.ensure(request.db, collection, transaction);
  const statement = { text: TEXT, parameters: [request.db, engineSpec(request)] };
  for (let attempt = 1; ; attempt++) {
    try {
      return onlyValue(await executor.run(statement, writeOptions(request)));
    } catch (cause) {
      if (!(cause instanceof PgError) || codeOfSqlState(cause.sqlState) !== 11000) throw cause;
      const { query: q, update: u, upsert } = deserialize(request.body.bytes) as ModifyCommand;
      const failed = { q, u, upsert };
      const isLost = transaction !== null || attempt === MAX_UPSERT_ATTEMPTS || !mayBeUpsertRace(failed);
      if (isLost) throw await duplicateKeyError(context, collection, cause, failed);
    }
  }
};
