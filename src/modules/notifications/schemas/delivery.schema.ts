import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { type ChannelName, CHANNELS } from '../../../contracts/notification-events.js';
import type { SentEvent } from '../notification-texts.js';
import { WorkItem } from '../../../platform/work/work.schema.js';

const KEPT_SECONDS = 30 * 24 * 3600;

/** A message on its way to a user by one channel: durable work until it has been handed over. */
@Schema({ collection: 'deliveries', versionKey: false, minimize: false })
export class Delivery extends WorkItem {
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** The inbox entry it belongs to; mails with one-time tokens have none. */
  @Prop({ type: SchemaTypes.ObjectId, default: null })
  notification!: Types.ObjectId | null;

  @Prop({ type: String, required: true, enum: CHANNELS })
  channel!: ChannelName;

  /** Whose server takes it in the end, such as a mail domain: a slow one delays none of the others. */
  @Prop({ type: String, default: '' })
  receiver!: string;

  @Prop({ type: String, required: true })
  event!: SentEvent;

  /** What the text is made of. */
  @Prop({ type: SchemaTypes.Mixed, required: true })
  data!: Record<string, string>;

  /** The inbox entries that a digest collects. */
  @Prop({ type: [SchemaTypes.ObjectId], default: [] })
  digestOf!: Types.ObjectId[];

  /** For a message that stands for several of one type: the first of its inbox entries. */
  @Prop({ type: [SchemaTypes.ObjectId], default: [] })
  collapsed!: Types.ObjectId[];

  /** How many inbox entries such a message stands for; 0 for any other message. */
  @Prop({ type: Number, default: 0 })
  collapsedCount!: number;

  /** Until when entries are added to such a message; it isn't sent before. */
  @Prop({ type: Date, default: null })
  burstUntil!: Date | null;

  /** Only where the message is for this address and no other (for push: a subscription's id); else the contact's, when it is sent. */
  @Prop({ type: String, default: null })
  to!: string | null;

  /** What the mail's link carries, or the code of an SMS; encrypted (`OneTimeSecrets`), and erased once sent. */
  @Prop({ type: String, default: null })
  token!: string | null;

  /** Not sent after this time. */
  @Prop({ type: Date, default: null })
  expiresAt!: Date | null;

  @Prop({ type: Date, default: null })
  deliveredAt!: Date | null;
}

export const DeliverySchema = SchemaFactory.createForClass(Delivery);
DeliverySchema.index({ channel: 1, state: 1, availableAt: 1, receiver: 1 });
DeliverySchema.index({ user: 1, notification: 1 });
DeliverySchema.index({ user: 1, digestOf: 1 });
DeliverySchema.index({ createdAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });
