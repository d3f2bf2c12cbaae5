import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { databaseDate } from '../../../platform/database/database-clock.js';

export const TOKEN_PURPOSES = ['email-verification', 'email-change', 'password-reset', 'mfa-login'] as const;
export type TokenPurpose = (typeof TOKEN_PURPOSES)[number];

/** A token that works once, for one purpose; only its hash is stored. */
@Schema({ collection: 'onetimetokens', versionKey: false })
export class OneTimeToken {
  /** SHA-256 of the token, base64url. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: String, required: true, enum: TOKEN_PURPOSES })
  purpose!: TokenPurpose;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** The address it was sent to, or is about: it proves control of this one and no other. */
  @Prop({ required: true })
  email!: string;

  /** Of the second step of a log-in: the known device that took the first. */
  @Prop({ type: String })
  device?: string;

  /** How often it was offered with something wrong. */
  @Prop({ required: true, default: 0 })
  failures!: number;

  @Prop({ required: true, default: () => databaseDate() })
  createdAt!: Date;

  @Prop({ required: true })
  expiresAt!: Date;
}

export const OneTimeTokenSchema = SchemaFactory.createForClass(OneTimeToken);
OneTimeTokenSchema.index({ user: 1, purpose: 1, createdAt: -1 });
OneTimeTokenSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
