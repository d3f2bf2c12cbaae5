import { ERROR_CODES } from './errors.js';
import type { ErrorName } from './errors.js';

/**
 * DocumentDB raises MongoDB's errors with SQLSTATEs of its own that begin with M. Only those that mongod has a
 * name for are listed; any other reaches the client as InternalError with the SQLSTATE in its message.
 */
const DOCUMENTDB_STATES: Record<string, ErrorName> = {
  M0000: 'InternalError',
  M0001: 'BadValue',
  M0002: 'GraphContainsCycle',
  M0003: 'FailedToParse',
  M0004: 'TypeMismatch',
  M0005: 'Overflow',
  M0006: 'IllegalOperation',
  M0007: 'AlreadyInitialized',
  M0008: 'NamespaceNotFound',
  M0009: 'IndexNotFound',
  M000A: 'PathNotViable',
  M000C: 'CannotBackfillArray',
  M000D: 'ConflictingUpdateOperators',
  M000E: 'CursorNotFound',
  M000F: 'NamespaceExists',
  M000G: 'DollarPrefixedFieldName',
  M000I: 'NotSingleValueField',
  M000J: 'EmptyFieldName',
  M000K: 'DottedFieldName',
  M000L: 'ShardKeyNotFound',
  M000M: 'ImmutableField',
  M000N: 'CannotCreateIndex',
  M000O: 'IndexAlreadyExists',
  M000P: 'InvalidOptions',
  M000Q: 'InvalidNamespace',
  M000R: 'IndexOptionsConflict',
  M000S: 'IndexKeySpecsConflict',
  M000T: 'NotExactValueField',
  M000U: 'CommandNotSupported',
  M000W: 'ExceededMemoryLimit',
  M000X: 'DurationOverflow',
  M000Z: 'CommandNotSupportedOnView',
  M0010: 'OptionNotSupportedOnView',
  M0011: 'AmbiguousIndexKeyPattern',
  M0012: 'InvalidIndexSpecificationOption',
  M0013: 'QueryFeatureNotAllowed',
  M0015: 'ConversionFailure',
  M0016: 'OperationNotSupportedInTransaction',
  M0017: 'IndexBuildAborted',
  M0018: 'NoQueryExecutionPlans',
  M0019: 'CollectionUUIDMismatch',
  M001B: 'BSONObjectTooLarge',
  M001C: 'DuplicateKey',
  M001D: 'BackgroundOperationInProgressForNamespace',
  M002C: 'Location16764',
  M007T: 'Location40323',
  M007U: 'Location40324',
  M0088: 'Location40415',
  M00CO: 'DocumentValidationFailure',
  M00DO: 'InvalidLength',
  M00ER: 'Unauthorized',
  M00EU: 'HostUnreachable',
  M00EV: 'AuthenticationFailed',
  M00EW: 'LockTimeout',
  M00EX: 'MaxTimeMSExpired',
  M00EY: 'CommandNotFound',
  M00F0: 'ShutdownInProgress',
  M00F1: 'WriteConflict',
  M00F2: 'ConflictingOperationInProgress',
  M00F4: 'CannotBuildIndexKeys',
  M00F5: 'TransactionTooOld',
  M00F6: 'NoSuchTransaction',
  M00F7: 'TransactionCommitted',
};

const POSTGRES_STATES: Record<string, ErrorName> = {
  '0A000': 'CommandNotSupported',
  '23505': 'DuplicateKey',
  '23P01': 'DuplicateKey',
  '40001': 'WriteConflict',
  '40P01': 'WriteConflict',
  '53100': 'OutOfDiskSpace',
  '53200': 'ExceededMemoryLimit',
  '55P03': 'WriteConflict',
  '57014': 'Interrupted',
};

/** MongoDB's code of a SQLSTATE, or undefined when it stands for none. */
export function codeOfSqlState(sqlState: string): number | undefined {
  const name = DOCUMENTDB_STATES[sqlState] ?? POSTGRES_STATES[sqlState];
  return name === undefined ? undefined : ERROR_CODES[name];
}

/**
 * Inside `writeErrors` DocumentDB gives PostgreSQL's packed form of the SQLSTATE as the code: five characters of
 * six bits each, the first lowest, each counted from '0' (48). 319029277 is M001C.
 */
export function unpackSqlState(packed: number): string {
  let state = '';
  for (let position = 0; position < 5; position++) {
    state += String.fromCharCode(((packed >> (6 * position)) & 0x3f) + 48);
  }
  return state;
}
