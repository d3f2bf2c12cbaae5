import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

export const TASK_STATUSES = ['todo', 'in_progress', 'done', 'archived'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** From the lowest to the highest; stored as the position, so that an index can sort by it. */
export const TASK_PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;
export type TaskPriority = (typeof TASK_PRIORITIES)[number];

/** Stored where a task has no due date: it then sorts behind all dates, in one range of the index. */
export const NO_DUE_DATE = new Date('9999-12-31T23:59:59.999Z');

const RESTORABLE_SECONDS = 30 * 24 * 3600;

@Schema({ collection: 'tasks', versionKey: false })
export class Task {
  _id!: Types.ObjectId;

  /** The owner: part of every query, and the shard key. */
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  @Prop({ required: true })
  title!: string;

  @Prop({ type: String, default: '' })
  description!: string;

  @Prop({ type: String, required: true, enum: TASK_STATUSES })
  status!: TaskStatus;

  /** Position in `TASK_PRIORITIES`. */
  @Prop({ required: true })
  priority!: number;

  @Prop({ type: [String], required: true })
  tags!: string[];

  @Prop({ required: true })
  dueDate!: Date;

  @Prop({ type: Date, default: null })
  remindAt!: Date | null;

  @Prop({ type: Date, default: null })
  completedAt!: Date | null;

  /** Grows with each change; the ETag. */
  @Prop({ required: true })
  version!: number;

  @Prop({ required: true })
  createdAt!: Date;

  @Prop({ required: true })
  updatedAt!: Date;

  /** Deleted tasks can be restored until the TTL index removes them. */
  @Prop({ type: Date, default: null })
  deletedAt!: Date | null;
}

export const TaskSchema = SchemaFactory.createForClass(Task);
// One for each sort order of the list, both directions of it; `deletedAt: null` is an equality, so it comes first.
TaskSchema.index({ user: 1, deletedAt: 1, createdAt: -1, _id: -1 });
TaskSchema.index({ user: 1, deletedAt: 1, dueDate: 1, _id: 1 });
TaskSchema.index({ user: 1, deletedAt: 1, priority: 1, _id: 1 });
TaskSchema.index({ user: 1, status: 1 });
TaskSchema.index({ deletedAt: 1 }, { expireAfterSeconds: RESTORABLE_SECONDS });
