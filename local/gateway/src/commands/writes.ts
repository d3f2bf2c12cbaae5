import { deserialize, serialize } from 'bson';
import type { Document } from 'bson';
import { collectionName, engineSpec, sequenceNamed } from '../command-request.js';
import type { CommandRequest } from '../command-request.js';
import { duplicateKeyError } from '../duplicate-key.js';
import { MongoError, codeNameOf } from '../errors.js';
import { codeOfSqlState, unpackSqlState } from '../sql-states.js';
import type { CommandContext, CommandHandler } from './command.js';

/** Each takes the command's BSON and its kind-1 section as they are, and gives the reply and whether all went well. */
const WRITES = {
  insert: { sequence: 'documents', text: 'select p_result, p_success from documentdb_api.insert($1, $2, $3)' },
  update: { sequence: 'updates', text: 'select p_result, p_success from documentdb_api.update($1, $2, $3)' },
  delete: { sequence: 'deletes', text: 'select p_result, p_success from documentdb_api.delete($1, $2, $3)' },
} as const;

type WriteName = keyof typeof WRITES;

export function write(name: WriteName): CommandHandler {
  const { sequence, text } = WRITES[name];
  return async (context) => {
    const { request, services, executor } = context;
    const collection = collectionName(request);
    const documents = sequenceNamed(request, sequence);
    const mayCreate = name === 'insert' || (name === 'update' && mentionsUpsert(documents ?? request.body.bytes));
    if (mayCreate) await services.collections.ensure(request.db, collection);
    const parameters = [request.db, engineSpec(request), documents];
    const [row] = await executor.run({ text, parameters }, { maxTimeMS: request.maxTimeMS });
    const [result, success] = row!;
    return success![0] === 1 ? result! : translateWriteErrors(context, name, collection, result!);
  };
}

const UPSERT = Buffer.from('\u0008upsert\0\u0001', 'latin1');

/** Whether any of the updates says `upsert: true`; a mention inside a document's own data does no harm. */
export function mentionsUpsert(updates: Buffer): boolean {
  return updates.includes(UPSERT);
}

interface WriteError extends Document {
  index: number;
  code: number;
  errmsg: string;
}

async function translateWriteErrors(
  context: CommandContext,
  name: WriteName,
  collection: string,
  bytes: Buffer,
): Promise<Buffer> {
  const result = deserialize(bytes, { promoteLongs: false }) as Document & { writeErrors?: WriteError[] };
  const errors = result.writeErrors ?? [];
  const statements = errors.length > 0 ? statementsOf(context.request, WRITES[name].sequence) : [];
  const translated: Document[] = [];
  for (const { index, code, errmsg } of errors) {
    const sqlState = unpackSqlState(code);
    const mongoCode = codeOfSqlState(sqlState) ?? 1;
    if (mongoCode === 112 && context.executor.isTransaction) throw new MongoError('WriteConflict', errmsg);
    if (mongoCode === 11000) {
      const error = await duplicateKeyError(context, collection, errmsg, statements[index] ?? {});
      translated.push({ index, code: 11000, errmsg: error.message, ...error.extra });
    } else {
      translated.push({ index, code: mongoCode, codeName: codeNameOf(mongoCode), errmsg });
    }
  }
  return Buffer.from(serialize({ ...result, writeErrors: translated }, { ignoreUndefined: true }));
}

/** The documents or update statements of a batched write, read only when one of them failed. */
function statementsOf(request: CommandRequest, sequence: string): Document[] {
  const bytes = sequenceNamed(request, sequence);
  if (!bytes) return (deserialize(request.body.bytes)[sequence] as Document[] | undefined) ?? [];
  const documents: Document[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const size = bytes.readInt32LE(offset);
    documents.push(deserialize(bytes.subarray(offset, offset + size)));
    offset += size;
  }
  return documents;
}
