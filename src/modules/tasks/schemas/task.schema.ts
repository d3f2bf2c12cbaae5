import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { invalidatesCache } from '../../../platform/cache/invalidates-cache.js';
import { type Attachment, AttachmentSchema } from './attachment.schema.js';

export const TASK_STATUSES = ['todo', 'in_progress', 'done', 'archived'] as const;
export type TaskStatus = (typeof TASK_STATUSES)[number];

/** From the lowest to the highest; stored as the position, so that an index can sort by it. */
export const TASK_PRIORITIES = ['low', 'medium', 'high', 'urgent'] as const;
export type TaskPriority = (typeof TASK_PRIORITIES)[number];

/** Stored where a task has no due date: it then sorts behind all dates, in one range of the index. */
export const NO_DUE_DATE = new Date('9999-12-31T23:59:59.999Z');

/** The words of a task (`wordsToStore`), joined by spaces. */
export interface SearchedText {
  title: string;
  tags: string;
  description: string;
}

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

  /** The `remindAt` of the latest reminder that was published. */
  @Prop({ type: Date, default: null })
  remindedOf!: Date | null;

  /** The `dueDate` of the latest overdue event that was published. */
  @Prop({ type: Date, default: null })
  overdueOf!: Date | null;

  /** Absent where there never were any. */
  @Prop({ type: [AttachmentSchema], default: undefined })
  attachments?: Attachment[];

  /** Grows with each change; the ETag. */
  @Prop({ required: true })
  version!: number;

  @Prop({ required: true })
  createdAt!: Date;

  @Prop({ required: true })
  updatedAt!: Date;

  /**
   * `tagKeysOf` the tags, for the indexes alone: one text for all of them, since an index over a list has an entry an item,
   * and no engine keeps an order through those. Written with the task, and never read.
   */
  @Prop({ type: String, select: false })
  tagKeys?: string;

  /** For the text index alone: written with the task, and never read. */
  @Prop({ type: { title: String, tags: String, description: String }, _id: false, select: false })
  search?: SearchedText;
}

export const TaskSchema = SchemaFactory.createForClass(Task);
TaskSchema.plugin(invalidatesCache, { scope: 'tasks', owner: 'user' });
// One a sort order. Behind the order stands what is filtered by, so that an entry tells whether its task is wanted.
TaskSchema.index({ user: 1, createdAt: -1, _id: -1, status: 1, priority: 1, dueDate: 1, tagKeys: 1 });
TaskSchema.index({ user: 1, dueDate: 1, _id: 1, status: 1, priority: 1, createdAt: 1, tagKeys: 1 });
TaskSchema.index({ user: 1, priority: 1, _id: 1, status: 1, dueDate: 1, createdAt: 1, tagKeys: 1 });
TaskSchema.index(
  { user: 1, 'search.title': 'text', 'search.tags': 'text', 'search.description': 'text' },
  {
    name: 'user_1_search_text',
    weights: { 'search.title': 10, 'search.tags': 5, 'search.description': 1 },
    // Words as they are: users write in any language, and the texts have none of their own.
    default_language: 'none',
  },
);
