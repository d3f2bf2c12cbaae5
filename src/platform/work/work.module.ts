import { Global, Module } from '@nestjs/common';
import { MongooseModule } from '@nestjs/mongoose';
import { RecurringJobEntry, RecurringJobSchema } from './recurring-job.schema.js';
import { RecurringJobs } from './recurring-jobs.js';

@Global()
@Module({
  imports: [MongooseModule.forFeature([{ name: RecurringJobEntry.name, schema: RecurringJobSchema }])],
  providers: [RecurringJobs],
  exports: [RecurringJobs],
})
export class WorkModule {}
