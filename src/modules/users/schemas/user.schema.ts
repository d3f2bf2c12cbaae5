import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { type Role, ROLES } from '../../../contracts/role.js';
import type { NotificationPreferences } from '../../../contracts/users.events.js';
import { type Avatar, AvatarSchema } from './avatar.schema.js';

export const DEFAULT_PREFERENCES: NotificationPreferences = {
  channels: { email: true, push: true, sms: false },
  mutedEvents: [],
  quietHours: null,
  digest: 'off',
};

/** A person's profile, role and preferences; created by the auth module's event about the account. */
@Schema({ collection: 'users', versionKey: false, minimize: false })
export class User {
  /** The account's id. */
  _id!: Types.ObjectId;

  /** A copy of the account's. */
  @Prop({ required: true })
  email!: string;

  @Prop({ required: true })
  emailVerified!: boolean;

  /** The version of the account that the address was copied from. */
  @Prop({ required: true, default: 1 })
  emailVersion!: number;

  /** When a transaction last relied on the state of this profile; written so that a change conflicts with it. */
  @Prop({ type: Date })
  countedOnAt?: Date;

  @Prop({ required: true })
  name!: string;

  /** The name in lower case, for searching. */
  @Prop({ required: true })
  nameKey!: string;

  @Prop({ type: String, required: true, enum: ROLES })
  role!: Role;

  /** When an administrator suspended the user; absent in documents of earlier releases. */
  @Prop({ type: Date, default: null })
  suspendedAt!: Date | null;

  /** Why, in the administrator's words; absent where none was given and in documents of earlier releases. */
  @Prop({ type: String, default: null })
  suspensionReason!: string | null;

  /**
   * The `suspendedAt` of the suspension that the reason is for: releases without reasons change only `suspendedAt`. Absent
   * in documents of releases that stored the reason alone, and lifted it with the suspension.
   */
  @Prop({ type: Date })
  suspensionReasonFor?: Date | null;

  /** E.164 */
  @Prop({ type: String, default: null })
  phone!: string | null;

  /** Whether a code that was sent to the number came back. */
  @Prop({ required: true, default: false })
  phoneVerified!: boolean;

  /** BCP 47 */
  @Prop({ required: true, default: 'en' })
  locale!: string;

  /** IANA name */
  @Prop({ required: true, default: 'UTC' })
  timezone!: string;

  @Prop({ type: AvatarSchema, default: null })
  avatar!: Avatar | null;

  /** What was announced last and hasn't been completed. */
  @Prop({ type: AvatarSchema, default: null })
  pendingAvatar!: Avatar | null;

  @Prop({ type: SchemaTypes.Mixed, required: true, default: DEFAULT_PREFERENCES })
  preferences!: NotificationPreferences;

  /** Grows with each change; the ETag, and the version that events carry. */
  @Prop({ required: true, default: 1 })
  version!: number;

  @Prop({ required: true })
  createdAt!: Date;

  @Prop({ required: true })
  updatedAt!: Date;
}

export const UserSchema = SchemaFactory.createForClass(User);
UserSchema.index({ email: 1, _id: 1 });
UserSchema.index({ nameKey: 1 });
UserSchema.index({ createdAt: -1, _id: -1 });
UserSchema.index({ role: 1, createdAt: -1, _id: -1 });
