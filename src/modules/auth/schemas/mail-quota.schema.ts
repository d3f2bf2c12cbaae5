import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** The latest mails of a kind to somebody. Not with the account: deleting that and registering anew must not reset it. */
@Schema({ collection: 'mailquotas', versionKey: false })
export class MailQuota {
  /** The kind of mail, and a hash of whom it is counted for. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: [Date], required: true })
  sentAt!: Date[];

  @Prop({ required: true })
  expiresAt!: Date;
}

export const MailQuotaSchema = SchemaFactory.createForClass(MailQuota);
MailQuotaSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
