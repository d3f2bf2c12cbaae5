import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { WORK_INDEX, WorkItem } from '../../../platform/work/work.schema.js';

/**
 * The next reminder or due date of a task, as durable work that is due then. Its `_id` is the task's; a task without a
 * pending alarm has none.
 */
@Schema({ collection: 'taskalarms', versionKey: false })
export class TaskAlarm extends WorkItem {
  /** The task's owner. */
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;
}

export const TaskAlarmSchema = SchemaFactory.createForClass(TaskAlarm);
TaskAlarmSchema.index(WORK_INDEX); // asked for by the release before the next one
// Owners who had an alarm recently are passed over by the keys alone.
TaskAlarmSchema.index({ ...WORK_INDEX, user: 1 });
TaskAlarmSchema.index({ user: 1 });
