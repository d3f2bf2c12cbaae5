import { Injectable, Logger } from '@nestjs/common';
import { InjectConnection } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';

/** Creates the indexes that the schemas declare. In production an explicit step (`cli sync-indexes`), never at boot. */
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
}
