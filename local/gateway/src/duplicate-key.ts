import { deserialize } from 'bson';
import type { Document } from 'bson';
import type { CommandContext } from './commands/command.js';
import { MongoError } from './errors.js';

const INDEX_KEY = `select (i.index_spec).index_key
  from documentdb_api_catalog.collection_indexes i join documentdb_api_catalog.collections c using (collection_id)
  where c.database_name = $1 and c.collection_name = $2 and (i.index_spec).index_name = $3`;

/** A statement that ran into a unique index: a document to insert, or an update's query and change. */
export type FailedStatement = Document & { q?: Document; u?: Document | Document[] };

/**
 * mongod's duplicate key error, with `keyPattern` from the catalogue and `keyValue` from what the client sent.
 * The engine names the index only; a value that neither the document nor the update mentions is left out.
 */
export async function duplicateKeyError(
  { request, services }: CommandContext,
  collection: string,
  engineMessage: string,
  statement: FailedStatement,
): Promise<MongoError> {
  const index = /Index '(.+)'/.exec(engineMessage)?.[1];
  const namespace = `${request.db}.${collection}`;
  if (index === undefined) return new MongoError('DuplicateKey', `E11000 duplicate key error collection: ${namespace}`);
  const keyPattern = index === '_id_' ? { _id: 1 } : await indexKey();
  const candidate = candidateDocument(statement);
  const entries = Object.keys(keyPattern).map((path) => [path, valueAt(candidate, path)] as const);
  const keyValue = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  const printed = Object.entries(keyValue)
    .map(([path, value]) => `${path}: ${print(value)}`)
    .join(', ');
  const message = `E11000 duplicate key error collection: ${namespace} index: ${index} dup key: { ${printed} }`;
  return new MongoError('DuplicateKey', message, { keyPattern, keyValue });

  async function indexKey(): Promise<Document> {
    const parameters = [request.db, collection, index!];
    const [row] = await services.executor.run({ text: INDEX_KEY, parameters }, { isRead: true });
    return row?.[0] ? deserialize(row[0]) : {};
  }
}

/** The document as it would have been written, as far as the statement alone tells. */
function candidateDocument(statement: FailedStatement): Document {
  if (!statement.q || !statement.u) return statement;
  const { q, u } = statement;
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
  if ('toHexString' in value && typeof value.toHexString === 'function') return `ObjectId('${String(value)}')`;
  return JSON.stringify(value);
}
