import type { Query, Schema } from 'mongoose';

type Document = Record<string, unknown>;
type LeanQuery = Query<unknown, unknown> & { model: { applyDefaults(document: object): object } };

const READS = ['find', 'findOne', 'findOneAndUpdate', 'findOneAndReplace', 'findOneAndDelete'] as const;

/**
 * A plugin that gives lean documents the defaults of their schema, which Mongoose leaves out: a document that is older
 * than a field then reads like a new one. Fields that a projection leaves out stay out; so does what a projection
 * selects inside a field.
 */
export function leanDefaults(schema: Schema): void {
  for (const read of READS) {
    schema.post(read, function (this: unknown, result: unknown) {
      const query = this as LeanQuery;
      if (!query.mongooseOptions().lean) return;
      for (const document of Array.isArray(result) ? result : [result]) {
        if (document !== null) applyDefaults(document as Document, query);
      }
    });
  }
}

function applyDefaults(document: Document, query: LeanQuery): void {
  if (!query.selected()) {
    query.model.applyDefaults(document);
    return;
  }
  const named = query.projection() as Document;
  const isSelected = query.selectedInclusively()
    ? (field: string) => Boolean(named[field])
    : (field: string) => !(field in named);
  for (const [field, value] of Object.entries(query.model.applyDefaults({ ...document }))) {
    if (!(field in document) && isSelected(field)) document[field] = value;
  }
}
