import { Injectable, Logger } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { Connection, Model } from 'mongoose';

type Keys = Record<string, unknown>;

/** Creates the indexes that the schemas declare. In production an explicit step (`cli migrate`), never at boot. */
@Injectable()
export class IndexSynchronizer {
  private readonly logger = new Logger(IndexSynchronizer.name);

  constructor(@InjectConnection() private readonly connection: Connection) {}

  /** Idempotent; what exists already costs one look-up a collection. */
  async synchronize(): Promise<void> {
    const models = Object.values(this.connection.models);
    await Promise.all(
      models.map(async (model) => {
        await model.createCollection();
        await model.createIndexes();
      }),
    );
    this.logger.log(`indexes of ${models.length} collections are in place`);
  }

  /**
   * The declared indexes that the database lacks, such as `tasks {"user":1}`. They are compared by their keys: where the
   * same keys have other options, `synchronize` fails and says so.
   */
  async findMissing(): Promise<string[]> {
    const missing = await Promise.all(Object.values(this.connection.models).map(findMissingOf));
    return missing.flat();
  }
}

async function findMissingOf(model: Model<unknown>): Promise<string[]> {
  const declared = model.schema.indexes().map(([keys]) => keys as Keys);
  if (declared.length === 0) return [];
  const existing = await model.collection.indexes().catch((error: { codeName?: unknown }) => {
    if (error.codeName === 'NamespaceNotFound') return [];
    throw error;
  });
  const known = new Set(existing.map(({ key }) => JSON.stringify(normalise(key))));
  return declared
    .filter((keys) => !known.has(JSON.stringify(normalise(keys))))
    .map((keys) => `${model.collection.name} ${JSON.stringify(keys)}`);
}

/** MongoDB stores the fields of a text index apart, and a collection has at most one. */
function normalise(keys: Keys): [string, unknown][] {
  const isText = (name: string, kind: unknown) => kind === 'text' || name === '_ftsx';
  const plain = Object.entries(keys).filter(([name, kind]) => !isText(name, kind));
  const hasText = plain.length < Object.keys(keys).length;
  return hasText ? [...plain, ['text', 1]] : plain;
}
