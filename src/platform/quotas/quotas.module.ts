import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { Quota, QuotaSchema } from './quota.schema.js';
import { Quotas } from './quotas.js';

@Global()
@Module({
  imports: [MongooseModule.forFeature([{ name: Quota.name, schema: QuotaSchema }])],
  providers: [Quotas],
  exports: [Quotas],
})
export class QuotasModule {}
