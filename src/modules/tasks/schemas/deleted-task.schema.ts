import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { Task } from './task.schema.js';

/** How long a deleted task, and its history, can be restored. */
export const RESTORABLE_SECONDS = 30 * 24 * 3600;

/** A task that was deleted; out of the way of every list. */
@Schema({ collection: 'deletedtasks', versionKey: false })
export class DeletedTask extends Task {
  @Prop({ required: true })
  deletedAt!: Date;
}

export const DeletedTaskSchema = SchemaFactory.createForClass(DeletedTask);
DeletedTaskSchema.index({ user: 1 });
DeletedTaskSchema.index({ deletedAt: 1 }, { expireAfterSeconds: RESTORABLE_SECONDS });
