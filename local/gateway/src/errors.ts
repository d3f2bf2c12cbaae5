import { serialize } from 'bson';
import type { Document } from 'bson';

/** MongoDB's error codes by the name that goes into `codeName`. */
export const ERROR_CODES = {
  InternalError: 1,
  BadValue: 2,
  GraphContainsCycle: 5,
  HostUnreachable: 6,
  UnknownError: 8,
  FailedToParse: 9,
  Unauthorized: 13,
  TypeMismatch: 14,
  Overflow: 15,
  InvalidLength: 16,
  AuthenticationFailed: 18,
  IllegalOperation: 20,
  InvalidBSON: 22,
  AlreadyInitialized: 23,
  LockTimeout: 24,
  NamespaceNotFound: 26,
  IndexNotFound: 27,
  PathNotViable: 28,
  CannotBackfillArray: 34,
  ConflictingUpdateOperators: 40,
  CursorNotFound: 43,
  NamespaceExists: 48,
  MaxTimeMSExpired: 50,
  DollarPrefixedFieldName: 52,
  NotSingleValueField: 54,
  EmptyFieldName: 56,
  DottedFieldName: 57,
  CommandNotFound: 59,
  ShardKeyNotFound: 61,
  ImmutableField: 66,
  CannotCreateIndex: 67,
  IndexAlreadyExists: 68,
  InvalidOptions: 72,
  InvalidNamespace: 73,
  IndexOptionsConflict: 85,
  IndexKeySpecsConflict: 86,
  ShutdownInProgress: 91,
  NotExactValueField: 111,
  WriteConflict: 112,
  CommandNotSupported: 115,
  ConflictingOperationInProgress: 117,
  DocumentValidationFailure: 121,
  OperationFailed: 96,
  ExceededMemoryLimit: 146,
  DurationOverflow: 159,
  CommandNotSupportedOnView: 166,
  OptionNotSupportedOnView: 167,
  AmbiguousIndexKeyPattern: 181,
  InvalidIndexSpecificationOption: 197,
  CannotBuildIndexKeys: 201,
  CannotIndexParallelArrays: 171,
  QueryFeatureNotAllowed: 224,
  TransactionTooOld: 225,
  CursorInUse: 143,
  ConversionFailure: 241,
  NoSuchTransaction: 251,
  TransactionCommitted: 256,
  OperationNotSupportedInTransaction: 263,
  IndexBuildAborted: 276,
  NoQueryExecutionPlans: 291,
  CollectionUUIDMismatch: 361,
  BSONObjectTooLarge: 10334,
  InterruptedAtShutdown: 11600,
  Interrupted: 11601,
  OutOfDiskSpace: 14031,
  DuplicateKey: 11000,
  BackgroundOperationInProgressForNamespace: 12587,
  Location16764: 16764,
  Location40323: 40323,
  Location40324: 40324,
  Location40415: 40415,
  Location40571: 40571,
} as const;

export type ErrorName = keyof typeof ERROR_CODES;

export type ErrorLabel = 'TransientTransactionError' | 'UnknownTransactionCommitResult' | 'RetryableWriteError';

const NAMES = new Map<number, string>(Object.entries(ERROR_CODES).map(([name, code]) => [code, name]));

/** `codeName` of a code; `LocationN` where mongod has no name for it either. */
export function codeNameOf(code: number): string {
  return NAMES.get(code) ?? `Location${code}`;
}

/** A failure in MongoDB's own terms; everything a client is told about goes through it. */
export class MongoError extends Error {
  readonly code: number;
  readonly labels = new Set<ErrorLabel>();

  /** @param extra further fields of the reply, such as `keyPattern` and `keyValue` of a duplicate key. */
  constructor(
    code: ErrorName | number,
    message: string,
    readonly extra: Document = {},
  ) {
    super(message);
    this.code = typeof code === 'number' ? code : ERROR_CODES[code];
  }

  get codeName(): string {
    return codeNameOf(this.code);
  }

  withLabel(label: ErrorLabel): this {
    this.labels.add(label);
    return this;
  }

  /** The reply document: `ok: 0` with code, name, message and labels. */
  toReply(): Buffer {
    const labels = this.labels.size > 0 ? { errorLabels: [...this.labels] } : {};
    const { code, codeName } = this;
    return Buffer.from(serialize({ ok: 0, errmsg: this.message, code, codeName, ...this.extra, ...labels }));
  }
}
