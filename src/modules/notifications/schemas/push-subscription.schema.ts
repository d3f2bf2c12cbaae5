import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

/** A browser that gets messages. */
@Schema({ collection: 'pushsubscriptions', versionKey: false })
export class PushSubscription {
  /** Made of the endpoint: the same endpoint is the same subscription, also for another user. */
  _id!: Types.ObjectId;

  /** Who subscribed with it last. */
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** An address of the browser's push service; everybody who knows it and the keys can write to the browser. */
  @Prop({ required: true })
  endpoint!: string;

  @Prop({ type: SchemaTypes.Mixed, required: true })
  keys!: { p256dh: string; auth: string };

  @Prop({ type: Date, default: null })
  expiresAt!: Date | null;

  @Prop({ required: true })
  subscribedAt!: Date;
}

export const PushSubscriptionSchema = SchemaFactory.createForClass(PushSubscription);
PushSubscriptionSchema.index({ user: 1, subscribedAt: -1 });
PushSubscriptionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
