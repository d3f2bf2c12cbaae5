import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** How much of something was taken for somebody. Not part of the account: deleting it and registering again must not reset the count. */
@Schema({ collection: 'quotas', versionKey: false })
export class Quota {
  /** What is counted, and a hash of whom it is counted for. */
  @Prop({ type: String, required: true })
  _id!: string;

  /** When the latest were taken; empty where days are counted. */
  @Prop({ type: [Date], required: true })
  takenAt!: Date[];

  /** How many were taken on a day, where days are counted. */
  @Prop({ type: Number })
  count?: number;

  @Prop({ required: true })
  expiresAt!: Date;
}

export const QuotaSchema = SchemaFactory.createForClass(Quota);
QuotaSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
