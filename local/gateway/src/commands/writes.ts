import { deserialize, serialize } from 'bson';
import type { Document } from 'bson';
import { setTimeout as pause } from 'node:timers/promises';
import { mergeReplies, positionsToRepeat } from '../batch-repeat.js';
import type { WriteError, WriteReply } from '../batch-repeat.js';
import { collectionName, engineSpec, sequenceNamed, writeOptions } from '../command-request.js';
import type { CommandRequest } from '../command-request.js';
import { MAX_UPSERT_ATTEMPTS, duplicateKeyError, mayBeUpsertRace } from '../duplicate-key.js';
import { CONFLICT_MESSAGE, TOO_LARGE } from '../error-translation.js';
import { ERROR_CODES, MongoError, codeNameOf } from '../errors.js';
import { codeOfSqlState, unpackSqlState } from '../sql-states.js';
import type { CommandContext, CommandHandler } from './command.js';

/** Each takes the command's BSON and its kind-1 section as they are, and gives the reply and whether all went well. */
const WRITES = {
  insert: { sequence: 'documents', text: 'select p_result, p_success from documentdb_api.insert($1, $2, $3)' },
  update: { sequence: 'updates', text: 'select p_result, p_success from documentdb_api.update($1, $2, $3)' },
  delete: { sequence: 'deletes', text: 'select p_result, p_success from documentdb_api.delete($1, $2, $3)' },
} as const;

type WriteName = keyof typeof WRITES;

const MAX_CONFLICTS = 50;

export function write(name: WriteName): CommandHandler {
  const { sequence, text } = WRITES[name];
  return async (context) => {
    const { request, services, executor, transaction } = context;
    const collection = collectionName(request);
    const documents = sequenceNamed(request, sequence);
    const mayCreate = name === 'insert' || (name === 'update' && mentionsUpsert(documents ?? request.body.bytes));
    if (mayCreate) await services.collections.ensure(request.db, collection, transaction);
    const parameters = [request.db, engineSpec(request), documents];
    const [row] = await executor.run({ text, parameters }, writeOptions(request));
    const [result, success] = row!;
    if (name === 'insert' && !transaction) services.statistics.noteInserts(request.db, collection, result!);
    return success![0] === 1 ? result! : finishFailed(context, name, collection, result!);
  };
}

const UPSERT = Buffer.from('\u0008upsert\0\u0001', 'latin1');

/** Whether any of the updates says `upsert: true`; a mention inside a document's own data does no harm. */
export function mentionsUpsert(updates: Buffer): boolean {
  return updates.includes(UPSERT);
}

/** Makes those statements again that only lost a race, and tells of the others in MongoDB's terms. */
async function finishFailed(
  context: CommandContext,
  name: WriteName,
  collection: string,
  bytes: Buffer,
): Promise<Buffer> {
  const statements = statementsOf(context.request, WRITES[name].sequence);
  const first = deserialize(bytes, { promoteLongs: false }) as WriteReply;
  if (context.transaction && first.writeErrors?.some(isConflict))
    throw new MongoError('WriteConflict', CONFLICT_MESSAGE);
  const { writeErrors, ...rest } = context.transaction ? first : await repeatLost(context, name, first, statements);
  if (!writeErrors) return Buffer.from(serialize(rest));
  const translated: Document[] = [];
  for (const error of writeErrors)
    translated.push(await translate(context, collection, error, statements[error.index] ?? {}));
  return Buffer.from(serialize({ ...rest, writeErrors: translated }));
}

/** One by one, each its own transaction as in mongod, so that they cannot deadlock again. */
async function repeatLost(
  context: CommandContext,
  name: WriteName,
  first: WriteReply,
  statements: Document[],
): Promise<WriteReply> {
  const { request, executor } = context;
  const { sequence, text } = WRITES[name];
  const ordered = request.body.boolean('ordered') ?? true;
  const isLost = (error: WriteError): boolean => isConflict(error) || isUpsertRace(error, statements[error.index]);
  let reply = first;
  for (const position of positionsToRepeat(first, statements.length, ordered, isLost)) {
    const parameters = [request.db, engineSpec(request, [sequence]), Buffer.from(serialize(statements[position]!))];
    let again: WriteReply;
    for (let attempt = 1; ; attempt++) {
      const [row] = await executor.run({ text, parameters }, writeOptions(request));
      again = deserialize(row![0]!, { promoteLongs: false }) as WriteReply;
      const [error] = again.writeErrors ?? [];
      const limit = error && isConflict(error) ? MAX_CONFLICTS : MAX_UPSERT_ATTEMPTS;
      if (!error || attempt >= limit || !isLost({ ...error, index: position })) break;
      await pause(Math.random() * Math.min(attempt, 20));
    }
    reply = mergeReplies(reply, again, position);
    if (ordered && again.writeErrors) break;
  }
  return reply;
}

async function translate(
  context: CommandContext,
  collection: string,
  { index, code: packed, errmsg }: WriteError,
  statement: Document,
): Promise<Document> {
  const code = TOO_LARGE.test(errmsg) ? ERROR_CODES.BSONObjectTooLarge : codeOf(packed);
  if (code !== ERROR_CODES.DuplicateKey) return { index, code, codeName: codeNameOf(code), errmsg };
  const error = await duplicateKeyError(context, collection, errmsg, statement);
  return { index, code, errmsg: error.message, ...error.extra };
}

function isConflict({ code }: WriteError): boolean {
  return codeOf(code) === ERROR_CODES.WriteConflict;
}

function isUpsertRace({ code }: WriteError, statement: Document | undefined): boolean {
  return statement !== undefined && codeOf(code) === ERROR_CODES.DuplicateKey && mayBeUpsertRace(statement);
}

function codeOf(packed: number): number {
  return codeOfSqlState(unpackSqlState(packed)) ?? ERROR_CODES.InternalError;
}

/** The documents or update statements of a batched write, read only when one of them failed. */
function statementsOf(request: CommandRequest, sequence: string): Document[] {
  const options = { promoteValues: false };
  const bytes = sequenceNamed(request, sequence);
  if (!bytes) return (deserialize(request.body.bytes, options)[sequence] as Document[] | undefined) ?? [];
  const documents: Document[] = [];
  for (let offset = 0; offset < bytes.length;) {
    const size = bytes.readInt32LE(offset);
    documents.push(deserialize(bytes.subarray(offset, offset + size), options));
    offset += size;
  }
  return documents;
}
