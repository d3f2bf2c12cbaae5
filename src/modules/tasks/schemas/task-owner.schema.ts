import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import { invalidatesCache } from '../../../platform/cache/invalidates-cache.js';

/** What this module needs to know of a user: its own copy of the time zone, fed by the users module's events. */
@Schema({ collection: 'taskowners', versionKey: false })
export class TaskOwner {
  /** The user's id. */
  _id!: Types.ObjectId;

  /** IANA name. */
  @Prop({ required: true })
  timezone!: string;

  /** The version of the profile it was copied from. */
  @Prop({ required: true })
  profileVersion!: number;
}

export const TaskOwnerSchema = SchemaFactory.createForClass(TaskOwner);
TaskOwnerSchema.plugin(invalidatesCache, { scope: 'tasks', owner: '_id' });
