import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import type { NotificationPreferences } from '../../../contracts/users.events.js';

/**
 * How to reach a user: this module's own copy, fed by events of auth and users. They may come in any order, so every
 * part can be missing for a while, and carries the version it was copied from.
 */
@Schema({ collection: 'contacts', versionKey: false, minimize: false })
export class Contact {
  /** The user's id. */
  _id!: Types.ObjectId;

  @Prop({ type: String })
  name?: string;

  @Prop({ type: String })
  email?: string;

  @Prop({ type: Boolean, default: false })
  emailVerified!: boolean;

  /** The version of the account that address and verification were copied from. */
  @Prop({ type: Number, default: 0 })
  emailVersion!: number;

  /** BCP 47 */
  @Prop({ type: String })
  locale?: string;

  /** IANA name */
  @Prop({ type: String })
  timezone?: string;

  /** E.164; none until it is confirmed. */
  @Prop({ type: String, default: null })
  verifiedPhone!: string | null;

  /** When that became known here; missing for numbers from before an upgrade. */
  @Prop({ type: Date, default: null })
  phoneVerifiedAt!: Date | null;

  @Prop({ type: Number, default: 0 })
  profileVersion!: number;

  /** When a browser was added last. */
  @Prop({ type: Date })
  subscribedAt?: Date;

  /** Until when further events of a type are collected into one message, by the type with `_` for its dot. */
  @Prop({ type: SchemaTypes.Mixed })
  burstsUntil?: Record<string, Date>;

  @Prop({ type: SchemaTypes.Mixed })
  preferences?: NotificationPreferences;

  @Prop({ type: Number, default: 0 })
  preferencesVersion!: number;

  /** Nothing is sent to a suspended user; absent in documents of earlier releases. */
  @Prop({ type: Boolean, default: false })
  suspended!: boolean;

  /** The version of the profile that `suspended` was copied from. */
  @Prop({ type: Number, default: 0 })
  suspensionVersion!: number;
}

export const ContactSchema = SchemaFactory.createForClass(Contact);
