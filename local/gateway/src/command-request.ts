import { MongoError } from './errors.js';
import type { RunOptions } from './executor.js';
import { CommandDocument } from './wire/command-document.js';
import type { DocumentSequence, IncomingMessage } from './wire/message.js';

/** A logical session as a client names it, and what it says about a transaction or a retryable write. */
export interface SessionReference {
  /** Hex of `lsid.id`. */
  id: string;
  txnNumber: bigint | null;
  /** True when the command belongs to a multi-document transaction (`autocommit: false`). */
  inTransaction: boolean;
  startTransaction: boolean;
}

/** A command, looked at no deeper than its top level. */
export interface CommandRequest {
  name: string;
  db: string;
  body: CommandDocument;
  sequences: DocumentSequence[];
  session: SessionReference | null;
  /** 0 when there is no limit. */
  maxTimeMS: number;
}

/** Fields that mean something to the gateway, or nothing at all on a single server, and are no business of the engine's. */
const ENVELOPE = new Set([
  '$db',
  'lsid',
  'txnNumber',
  'autocommit',
  'startTransaction',
  'stmtId',
  'stmtIds',
  'recoveryToken',
  '$clusterTime',
  '$readPreference',
  'readConcern',
  'writeConcern',
  'maxTimeMS',
  'comment',
  'apiVersion',
  'apiStrict',
  'apiDeprecationErrors',
]);

/** @throws MongoError when the envelope is malformed */
export function parseRequest(message: IncomingMessage): CommandRequest {
  const body = new CommandDocument(message.body);
  const db = body.string('$db') ?? message.queryDatabase;
  const name = body.firstName;
  if (name === '') throw new MongoError('FailedToParse', 'The command is an empty document');
  if (db === null) throw new MongoError('Location40571', 'OP_MSG requests require a $db argument');
  if (db === '' || /[/\\. "$\0]/.test(db.replace(/^\$external$/, ''))) {
    throw new MongoError('InvalidNamespace', `Invalid database name: '${db}'`);
  }
  const maxTimeMS = body.number('maxTimeMS') ?? 0;
  if (maxTimeMS < 0 || maxTimeMS > 0x7fffffff)
    throw new MongoError('BadValue', `${maxTimeMS} is out of range for maxTimeMS`);
  const session = parseSession(body);
  checkReadConcern(body, session?.inTransaction === true);
  return { name, db, body, sequences: message.sequences, session, maxTimeMS };
}

/** The command's BSON as the engine is to see it: without its envelope and without the named fields. */
export function engineSpec(
  request: CommandRequest,
  alsoDropped: readonly string[] = [],
  appended: readonly Buffer[] = [],
): Buffer {
  const dropped = alsoDropped.length > 0 ? new Set([...ENVELOPE, ...alsoDropped]) : ENVELOPE;
  return request.body.rewrite(dropped, appended);
}

/**
 * The collection a command names in its first field.
 * @throws MongoError (InvalidNamespace) when it is not a usable name
 */
export function collectionName(request: CommandRequest): string {
  const name = request.body.string(request.name);
  if (name === undefined) {
    throw new MongoError('InvalidNamespace', `collection name has invalid type for command '${request.name}'`);
  }
  if (name === '' || name.includes('\0') || name.startsWith('.')) {
    throw new MongoError('InvalidNamespace', `Invalid namespace specified '${request.db}.${name}'`);
  }
  return name;
}

/** Documents of a batched write, from the kind-1 section or the command's own array; null when neither is there. */
export function sequenceNamed(request: CommandRequest, identifier: string): Buffer | null {
  return request.sequences.find((sequence) => sequence.identifier === identifier)?.documents ?? null;
}

/** How a write is to be run: tracked when its client would repeat it. */
export function writeOptions({ session, maxTimeMS }: CommandRequest): RunOptions {
  return { maxTimeMS, isTracked: session !== null && session.txnNumber !== null && !session.inTransaction };
}

function parseSession(body: CommandDocument): SessionReference | null {
  const lsid = body.document('lsid');
  if (!lsid) {
    if (body.has('txnNumber'))
      throw new MongoError('InvalidOptions', 'Transaction number requires a session ID to also be specified');
    return null;
  }
  const id = lsid.binary('id');
  if (!id || id.length !== 16) throw new MongoError('InvalidOptions', 'lsid.id has to be a UUID');
  const txnNumber = body.int64('txnNumber') ?? null;
  const inTransaction = body.boolean('autocommit') === false;
  if (inTransaction && txnNumber === null) {
    throw new MongoError('InvalidOptions', "'autocommit' field requires a transaction number to also be specified");
  }
  return {
    id: id.toString('hex'),
    txnNumber,
    inTransaction,
    startTransaction: body.boolean('startTransaction') === true,
  };
}

function checkReadConcern(body: CommandDocument, isInTransaction: boolean): void {
  const readConcern = body.document('readConcern');
  if (!readConcern) return;
  if (readConcern.has('atClusterTime') || readConcern.has('afterClusterTime')) {
    throw new MongoError('InvalidOptions', 'readConcern with a cluster time is not supported: this server has none');
  }
  if (readConcern.string('level') === 'snapshot' && !isInTransaction) {
    throw new MongoError('InvalidOptions', 'readConcern snapshot is supported in transactions only');
  }
}
