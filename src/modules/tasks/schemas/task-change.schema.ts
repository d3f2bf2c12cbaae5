import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { RESTORABLE_SECONDS } from './deleted-task.schema.js';

/** One field's change, in the values that the API shows. */
export interface FieldChange {
  field: string;
  from: unknown;
  to: unknown;
}

/** What one change did to a task: a line of its history. */
@Schema({ collection: 'taskchanges', versionKey: false })
export class TaskChange {
  _id!: Types.ObjectId;

  /** The task's owner. */
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  task!: Types.ObjectId;

  /** The task's after the change: no two of its changes have the same. */
  @Prop({ required: true })
  version!: number;

  @Prop({ required: true })
  at!: Date;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  actor!: Types.ObjectId;

  @Prop({ type: SchemaTypes.Mixed, required: true })
  changes!: FieldChange[];

  /** Since when the task is deleted: its history goes when it does. */
  @Prop({ type: Date, default: null })
  deletedAt!: Date | null;
}

export const TaskChangeSchema = SchemaFactory.createForClass(TaskChange);
TaskChangeSchema.index({ user: 1, task: 1, version: -1, _id: -1 });
TaskChangeSchema.index({ deletedAt: 1 }, { expireAfterSeconds: RESTORABLE_SECONDS });
