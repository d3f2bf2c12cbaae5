import { MongoError } from './errors.js';
import { PgConnectionError, PgError } from './postgres/pg-error.js';
import { codeOfSqlState } from './sql-states.js';

/** SQLSTATEs of a statement that lost a race with another and can simply be run again. */
const CONFLICT_STATES = new Set(['40001', '40P01', '55P03']);

/** A relation that a concurrent drop took away between looking the collection up and reading it. */
const VANISHED_RELATION_STATES = new Set(['42P01']);

export const CONFLICT_MESSAGE =
  'WriteConflict error: this operation conflicted with another operation. Please retry your operation or multi-document transaction.';

/** What the engine says of a document beyond 16 MiB, whatever code it gives it. */
export const TOO_LARGE = /larger than MaxDocumentSize/;

const CATALOGUE_RACES = /^tuple concurrently (updated|deleted)|^Unable to create the specified collection/;

export function isConflict(error: unknown): boolean {
  if (!(error instanceof PgError)) return false;
  return CONFLICT_STATES.has(error.sqlState) || isCatalogueRace(error);
}

/** Two writers made the same collection or index at once: the engine's own tables have the unique violation. */
function isCatalogueRace({ sqlState, table, message }: PgError): boolean {
  const isViolation = sqlState === '23505' && !table.startsWith('documents_');
  return isViolation || CATALOGUE_RACES.test(message);
}

export function isVanishedRelation(error: unknown): boolean {
  if (!(error instanceof PgError)) return false;
  return VANISHED_RELATION_STATES.has(error.sqlState) || /could not open relation with OID/.test(error.message);
}

/**
 * Says whatever went wrong in MongoDB's terms. Anything unforeseen becomes InternalError with its message.
 * A lost PostgreSQL is what a lost shard is to a mongos, HostUnreachable: drivers repeat what may be repeated,
 * and do not throw their connections to the gateway away, as they would at ShutdownInProgress.
 */
export function toMongoError(error: unknown): MongoError {
  if (error instanceof MongoError) return error;
  if (error instanceof PgConnectionError) return new MongoError('HostUnreachable', error.message);
  if (error instanceof PgError) return fromPgError(error);
  return new MongoError('InternalError', error instanceof Error ? error.message : String(error));
}

function fromPgError(error: PgError): MongoError {
  if (error.sqlState === '57014' && error.message.includes('statement timeout')) {
    return new MongoError('MaxTimeMSExpired', 'operation exceeded time limit');
  }
  if (error.sqlState.startsWith('57P')) return new MongoError('HostUnreachable', error.message);
  if (isConflict(error)) {
    return new MongoError('WriteConflict', CONFLICT_MESSAGE);
  }
  if (TOO_LARGE.test(error.message)) return new MongoError('BSONObjectTooLarge', error.message);
  const code = codeOfSqlState(error.sqlState);
  return code === undefined
    ? new MongoError('InternalError', `${error.message} (SQLSTATE ${error.sqlState})`)
    : new MongoError(code, error.message);
}
