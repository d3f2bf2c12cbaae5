import { Decimal128, Long, ObjectId, deserialize } from 'bson';
import type { Document } from 'bson';
import type { CommandContext } from './commands/command.js';
import { MongoError } from './errors.js';
import type { PgError } from './postgres/pg-error.js';

const INDEX = `select (i.index_spec).index_name, (i.index_spec).index_key
  from documentdb_api_catalog.collection_indexes i join documentdb_api_catalog.collections c using (collection_id)
  where c.database_name = $1 and c.collection_name = $2
    and ((i.index_spec).index_name = $3 or i.index_id = $4::text::int)`;

/** A statement that ran into a unique index: a document to insert, or an update's query and change. */
export type FailedStatement = Document & { q?: Document; u?: Document | Document[]; upsert?: boolean };

interface UniqueIndex {
  name: string;
  key: Document;
}

/**
 * mongod's duplicate key error, with `keyPattern` from the catalogue and `keyValue` from what the client sent
 * or, where PostgreSQL shows it, from the document that was to be written.
 * Inside `writeErrors` the engine names the index only; a value that neither the document nor the update
 * mentions is left out then.
 */
export async function duplicateKeyError(
  context: CommandContext,
  collection: string,
  cause: PgError | string,
  statement: FailedStatement,
): Promise<MongoError> {
  const index = await indexOf(context, collection, cause);
  const namespace = `${context.request.db}.${collection}`;
  if (!index) return new MongoError('DuplicateKey', `E11000 duplicate key error collection: ${namespace}`);
  const written = typeof cause === 'string' ? null : documentInDetail(cause.detail);
  if (written ?? !statement.u) return keyError(namespace, index, written ?? statement, null);
  return keyError(namespace, index, candidateDocument(statement), undefined);
}

/**
 * @param document what was to be written, as far as it is known
 * @param missing value of a field it does not have: null if it is known as a whole, undefined to leave it out
 */
export function keyError(
  namespace: string,
  { name, key }: UniqueIndex,
  document: Document,
  missing: null | undefined,
): MongoError {
  const entries = Object.keys(key).map((path) => [path, valueAt(document, path) ?? missing] as const);
  const keyValue = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  const printed = Object.entries(keyValue).map(([path, value]) => `${path}: ${print(value)}`);
  const message = `E11000 duplicate key error collection: ${namespace} index: ${name} dup key: { ${printed.join(', ')} }`;
  return new MongoError('DuplicateKey', message, { keyPattern: key, keyValue });
}

async function indexOf(
  { request, services }: CommandContext,
  collection: string,
  cause: PgError | string,
): Promise<UniqueIndex | null> {
  const isRaised = typeof cause !== 'string';
  const name = /Index '(.+)'/.exec(isRaised ? cause.message : cause)?.[1] ?? null;
  const id = isRaised ? (/rum_index_(\d+)$/.exec(cause.constraint)?.[1] ?? null) : null;
  if (name === '_id_' || (isRaised && cause.constraint.startsWith('collection_pk_')))
    return { name: '_id_', key: { _id: 1 } };
  const parameters = [request.db, collection, name, id];
  const [row] = await services.executor.run({ text: INDEX, parameters }, { isRead: true });
  return row ? { name: row[0]!.toString(), key: deserialize(row[1]!) } : null;
}

/** The row PostgreSQL's unique violation names, as a document; null when it does not show one. */
export function documentInDetail(detail: string): Document | null {
  const hex = /\)=\(BSONHEX([0-9a-f]+),/.exec(detail)?.[1];
  return hex === undefined ? null : deserialize(Buffer.from(hex, 'hex'), { promoteLongs: false });
}

/** How often an upsert is made again that ran into a duplicate key. */
export const MAX_UPSERT_ATTEMPTS = 5;

/**
 * Whether to make an upsert again rather than report the duplicate, as mongod does: two upserts of the same new
 * document met, and the second will find the first's, because its query asks for the very key.
 */
export function mayBeUpsertRace({ q, upsert }: FailedStatement): boolean {
  return upsert === true && q !== undefined && Object.keys(equalities(q)).length > 0;
}

/** The document as an update would have left it, as far as the statement alone tells. */
function candidateDocument({ q = {}, u = {} }: FailedStatement): Document {
  if (Array.isArray(u)) return equalities(q);
  if (!Object.keys(u).some((key) => key.startsWith('$'))) return { ...equalities(q), ...u };
  return { ...equalities(q), ...(u.$setOnInsert as Document | undefined), ...(u.$set as Document | undefined) };
}

function equalities(query: Document): Document {
  const pairs = Object.entries(query).flatMap(([path, condition]): [string, unknown][] => {
    if (path.startsWith('$')) return [];
    const isOperator = isPlain(condition) && Object.keys(condition).some((key) => key.startsWith('$'));
    if (!isOperator) return [[path, condition]];
    return '$eq' in condition ? [[path, condition.$eq]] : [];
  });
  return Object.fromEntries(pairs);
}

function isPlain(value: unknown): value is Document {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** The value at a dotted path, which may itself be a key (`{ 'a.b': 1 }` in `$set`). */
function valueAt(document: Document, path: string): unknown {
  if (path in document) return document[path];
  return path.split('.').reduce<unknown>((value, key) => (isPlain(value) ? value[key] : undefined), document);
}

function print(value: unknown): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(value) ?? 'null';
  if (value instanceof ObjectId) return `ObjectId('${value.toHexString()}')`;
  if (value instanceof Date) return `new Date(${value.getTime()})`;
  return value instanceof Long || value instanceof Decimal128 ? value.toString() : JSON.stringify(value);
}
