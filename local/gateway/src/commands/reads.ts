import { collectionName, engineSpec } from '../command-request.js';
import type { CommandRequest } from '../command-request.js';
import { MongoError } from '../errors.js';
import type { CommandContext, CommandHandler } from './command.js';
import { onlyValue, reply } from './command.js';

const FIRST_PAGES = {
  find: 'select cursorpage, continuation, cursorid from documentdb_api.find_cursor_first_page($1, $2)',
  aggregate: 'select cursorpage, continuation, cursorid from documentdb_api.aggregate_cursor_first_page($1, $2)',
  listCollections:
    'select cursorpage, continuation, cursorid from documentdb_api.list_collections_cursor_first_page($1, $2)',
} as const;

const GET_MORE = 'select cursorpage, continuation from documentdb_api.cursor_get_more($1, $2, $3)';

/** Runs a command that answers with a cursor's first page, and keeps the cursor if there is more. */
export async function firstPage(
  context: CommandContext,
  name: keyof typeof FIRST_PAGES,
  namespace: string,
  spec: Buffer,
  isRead = true,
): Promise<Buffer> {
  const { request, executor, services, transaction } = context;
  const statement = { text: FIRST_PAGES[name], parameters: [request.db, spec] };
  const [row] = await executor.run(statement, { maxTimeMS: request.maxTimeMS, isRead });
  const [page, continuation, cursorId] = row!;
  const id = cursorId?.readBigInt64BE() ?? 0n;
  if (id !== 0n && continuation) {
    const neverTimesOut = request.body.boolean('noCursorTimeout') === true;
    const sessionId = request.session?.id ?? null;
    services.cursors.add({
      id,
      namespace,
      continuation: Buffer.from(continuation),
      sessionId,
      transaction,
      neverTimesOut,
    });
  }
  return page!;
}

/** The engine ignores these, though they change what is found. */
const REFUSED_FIND_FLAGS = ['tailable', 'awaitData', 'returnKey', 'showRecordId', 'oplogReplay'];
const REFUSED_FIND_BOUNDS = ['min', 'max'];

const FIND_HINTS = ['noCursorTimeout', 'allowPartialResults', 'allowDiskUse'];

/** @throws MongoError (CommandNotSupported) for options the engine would ignore */
export function requireSupportedFind({ body }: CommandRequest): void {
  const flag = REFUSED_FIND_FLAGS.find((option) => body.boolean(option) === true);
  const bound = REFUSED_FIND_BOUNDS.find((option) => (body.document(option)?.elements.length ?? 0) > 0);
  const refused = flag ?? bound;
  if (refused) throw new MongoError('CommandNotSupported', `find with '${refused}' is not supported by this server`);
}

export const find: CommandHandler = async (context) => {
  const { request } = context;
  requireSupportedFind(request);
  const spec = engineSpec(request, [...REFUSED_FIND_FLAGS, ...REFUSED_FIND_BOUNDS, ...FIND_HINTS]);
  return firstPage(context, 'find', `${request.db}.${collectionName(request)}`, spec);
};

/** Fields of the command that change neither result nor errors on a single server. */
const AGGREGATE_HINTS = ['allowDiskUse', 'bypassDocumentValidation'];

export const aggregate: CommandHandler = async (context) => {
  const { request, services } = context;
  if (request.body.boolean('explain')) throw new MongoError('CommandNotSupported', "Use the 'explain' command");
  const target = request.body.find('aggregate')?.type === 0x02 ? collectionName(request) : '$cmd.aggregate';
  const outputs = outputStages(request);
  if (outputs.includes('$changeStream')) {
    throw new MongoError('CommandNotSupported', 'Change streams are not supported by this server');
  }
  const isWrite = outputs.length > 0;
  const spec = engineSpec(request, AGGREGATE_HINTS);
  if (!isWrite) return firstPage(context, 'aggregate', `${request.db}.${target}`, spec);
  if (context.transaction) {
    throw new MongoError('OperationNotSupportedInTransaction', `${outputs[0]} cannot be used in a transaction`);
  }
  return services.collections.change(request.db, () =>
    firstPage(context, 'aggregate', `${request.db}.${target}`, spec, false),
  );
};

/** Names of the pipeline's stages that write, or that this server has no answer to. */
function outputStages(request: CommandRequest): string[] {
  const pipeline = request.body.document('pipeline');
  return (pipeline?.elements ?? []).flatMap(({ name }) => {
    const stage = pipeline!.document(name)?.firstName ?? '';
    return stage === '$out' || stage === '$merge' || stage === '$changeStream' ? [stage] : [];
  });
}

export const getMore: CommandHandler = async (context) => {
  const { request, executor, services, transaction } = context;
  const id = request.body.int64('getMore');
  const collection = request.body.string('collection');
  if (id === undefined || collection === undefined) {
    throw new MongoError('TypeMismatch', "getMore takes a cursor id (long) and a 'collection' (string)");
  }
  const cursor = services.cursors.checkOut(id, `${request.db}.${collection}`, request.session?.id ?? null, transaction);
  let next: Buffer | null = null;
  try {
    const parameters = [request.db, engineSpec(request), cursor.continuation];
    const [row] = await executor.run({ text: GET_MORE, parameters }, { maxTimeMS: request.maxTimeMS, isRead: true });
    next = row![1] ? Buffer.from(row![1]) : null;
    return row![0]!;
  } finally {
    services.cursors.checkIn(cursor, next);
  }
};

export const killCursors: CommandHandler = async ({ request, services }) => {
  const ids = request.body.document('cursors');
  if (!ids) throw new MongoError('BadValue', "killCursors needs an array 'cursors'");
  const cursorsKilled: bigint[] = [];
  const cursorsNotFound: bigint[] = [];
  for (const { name } of ids.elements) {
    const id = ids.int64(name) ?? 0n;
    (services.cursors.kill(id) ? cursorsKilled : cursorsNotFound).push(id);
  }
  return reply({ cursorsKilled, cursorsNotFound, cursorsAlive: [], cursorsUnknown: [] });
};

function document(text: string): CommandHandler {
  return async ({ request, executor }) => {
    collectionName(request);
    const statement = { text, parameters: [request.db, engineSpec(request)] };
    return onlyValue(await executor.run(statement, { maxTimeMS: request.maxTimeMS, isRead: true }));
  };
}

export const count = document('select document from documentdb_api.count_query($1, $2)');
export const distinct = document('select document from documentdb_api.distinct_query($1, $2)');
