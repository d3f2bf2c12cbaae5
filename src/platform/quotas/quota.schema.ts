import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** The latest of something for somebody. Not with their account: deleting that and registering anew must not reset it. */
@Schema({ collection: 'quotas', versionKey: false })
export class Quota {
  /** What is counted, and a hash of whom it is counted for. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: [Date], required: true })
  takenAt!: Date[];

  @Prop({ required: true })
  expiresAt!: Date;
}

export const QuotaSchema = SchemaFactory.createForClass(Quota);
QuotaSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
