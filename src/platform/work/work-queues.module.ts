import { Global, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { MongooseModule } from '@nestjs/mongoose';
import { DecoratedMethods } from './decorated-methods.js';
import { RecurringJobEntry, RecurringJobSchema } from './recurring-job.schema.js';
import { RecurringJobs } from './recurring-jobs.js';
import { WorkQueues } from './work-queues.js';

/** What the other modules use of durable work: they nudge their queues. */
@Global()
@Module({
  imports: [DiscoveryModule, MongooseModule.forFeature([{ name: RecurringJobEntry.name, schema: RecurringJobSchema }])],
  providers: [DecoratedMethods, RecurringJobs, WorkQueues],
  exports: [DecoratedMethods, WorkQueues],
})
export class WorkQueuesModule {}
