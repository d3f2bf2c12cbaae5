import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { IdempotencyRecord, IdempotencyRecordSchema } from './idempotency-record.schema.js';
import { IdempotencyRecords } from './idempotency-records.js';

/** Idempotency keys; `@Idempotent()` on a handler is all a module needs. */
@Global()
@Module({
  imports: [MongooseModule.forFeature([{ name: IdempotencyRecord.name, schema: IdempotencyRecordSchema }])],
  providers: [IdempotencyRecords],
  exports: [IdempotencyRecords],
})
export class IdempotencyModule {}
