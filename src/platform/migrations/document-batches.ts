import type { BatchResult, Migration, MigrationContext } from './migration.js';

const BATCH_SIZE = 500;

/** Any document, or filter or update of one. */
type Document = Record<string, unknown>;

/** Which documents of a collection change, and how; `T` is what `fields` selects of one. */
export interface DocumentChange<T> {
  collection: string;
  /** Selects the documents that still have to change, so that a repeated batch leaves the others alone. */
  filter: Document;
  /** The fields that `change` reads, by their paths (`mfa.secret`). Default: `_id` alone. */
  fields?: string[];
  /**
   * The update of one document, with operators (`$set`, `$unset`, …); null leaves it as it is. It is applied only if
   * the document still matches `filter` and its `fields` are as they were read, so it never undoes what a running
   * instance writes meanwhile.
   */
  change: (document: T, context: MigrationContext) => Document | null;
}

/** A `runBatch` that changes the matching documents of a collection, in the order of `_id`, 500 a batch. */
export function changeDocuments<T = Document>({
  collection,
  filter,
  fields = [],
  change,
}: DocumentChange<T>): Migration['runBatch'] {
  return async (context, position): Promise<BatchResult> => {
    const documents = context.db.collection(collection);
    const rest = position === null ? filter : { $and: [filter, { _id: { $gt: position } }] };
    const projection = Object.fromEntries(['_id', ...fields].map((field) => [field, 1]));
    const found = await documents.find(rest, { projection }).sort({ _id: 1 }).limit(BATCH_SIZE).toArray();
    const updates = found.flatMap((document) => {
      const update = change(document as T, context);
      return update ? [{ updateOne: { filter: { $and: [filter, asRead(document, fields)] }, update } }] : [];
    });
    const changed = updates.length > 0 ? (await documents.bulkWrite(updates, { ordered: false })).modifiedCount : 0;
    return { changed, position: found.length < BATCH_SIZE ? null : found.at(-1)?._id };
  };
}

/** Matches the document as long as its fields haven't changed. */
function asRead(document: Document, fields: string[]): Document {
  const entries = fields.map((path) => {
    const value = valueAt(document, path);
    return [path, value === undefined ? { $exists: false } : { $eq: value }];
  });
  return { _id: document['_id'], ...(Object.fromEntries(entries) as Document) };
}

function valueAt(document: Document, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Document | null | undefined)?.[key], document);
}
