import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import type { NotificationEvent } from '../../../contracts/notification-events.js';
import { invalidatesCache } from '../../../platform/cache/invalidates-cache.js';

/** An entry of a user's inbox. */
@Schema({ collection: 'notifications', versionKey: false, minimize: false })
export class Notification {
  _id!: Types.ObjectId;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  @Prop({ type: String, required: true })
  event!: NotificationEvent;

  @Prop({ required: true })
  title!: string;

  @Prop({ required: true })
  body!: string;

  /** Ids and values for clients, e.g. `{ taskId }`. */
  @Prop({ type: SchemaTypes.Mixed, required: true })
  data!: Record<string, string>;

  /** The messages that stand for this entry and others of its type; absent where it had messages of its own. */
  @Prop({ type: [SchemaTypes.ObjectId], default: undefined })
  collapsedInto?: Types.ObjectId[];

  @Prop({ type: Date, default: null })
  readAt!: Date | null;

  @Prop({ required: true })
  createdAt!: Date;
}

export const NotificationSchema = SchemaFactory.createForClass(Notification);
NotificationSchema.plugin(invalidatesCache, { scope: 'notifications', owner: 'user' });
NotificationSchema.index({ user: 1, createdAt: -1, _id: -1 });
NotificationSchema.index({ user: 1, readAt: 1, createdAt: -1, _id: -1 });
