import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { WORK_INDEX, WorkItem } from './work.schema.js';

/** When a recurring job is due next: one document for each, whoever runs it. */
@Schema({ collection: 'recurringjobs', versionKey: false })
export class RecurringJobEntry extends WorkItem {
  @Prop({ required: true })
  name!: string;
}

export const RecurringJobSchema = SchemaFactory.createForClass(RecurringJobEntry);
RecurringJobSchema.index(WORK_INDEX);
RecurringJobSchema.index({ name: 1 }, { unique: true });
