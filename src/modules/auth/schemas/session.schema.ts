import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { databaseDate } from '../../../platform/database/database-clock.js';

/** One log-in on one device; it lives as long as its refresh tokens are used, up to `SESSION_MAX_AGE_SECONDS`. */
@Schema({ collection: 'sessions', versionKey: false })
export class Session {
  _id!: Types.ObjectId;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** Random; with `APP_SECRETS` it gives the session's refresh tokens, none of which is stored. */
  @Prop({ required: true })
  seed!: string;

  /** The number of the refresh token that is good now; one lower was good until `rotatedAt`. */
  @Prop({ required: true, default: 0 })
  generation!: number;

  @Prop({ required: true, default: () => databaseDate() })
  rotatedAt!: Date;

  @Prop({ required: true, default: () => databaseDate() })
  createdAt!: Date;

  @Prop({ required: true })
  expiresAt!: Date;

  @Prop({ type: String, default: '' })
  userAgent!: string;

  @Prop({ type: String, default: '' })
  ip!: string;
}

export const SessionSchema = SchemaFactory.createForClass(Session);
SessionSchema.index({ user: 1, _id: 1 });
SessionSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
