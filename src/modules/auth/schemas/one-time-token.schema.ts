import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

/** A token that was mailed and works once; only its hash is stored. */
@Schema({ collection: 'onetimetokens', versionKey: false })
export class OneTimeToken {
  /** SHA-256 of the token, base64url. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: String, required: true, enum: ['email-verification'] })
  purpose!: 'email-verification';

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** The address it was sent to: it proves control of this one and no other. */
  @Prop({ required: true })
  email!: string;

  @Prop({ required: true, default: () => new Date() })
  createdAt!: Date;

  @Prop({ required: true })
  expiresAt!: Date;
}

export const OneTimeTokenSchema = SchemaFactory.createForClass(OneTimeToken);
OneTimeTokenSchema.index({ user: 1, purpose: 1, createdAt: -1 });
OneTimeTokenSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
