import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import type { ApiKeyScope } from '../../contracts/api-key-scope.js';
import { type Role, ROLES } from '../../contracts/role.js';
import { databaseDate } from '../database/database-clock.js';

/** How long a removed key is remembered: longer than the delivery of any event takes. */
const REMOVAL_KEPT_SECONDS = 90 * 24 * 3600;
/** How long an expired key is still listed, so that its owner sees which one stopped working. */
const EXPIRED_KEPT_SECONDS = 30 * 24 * 3600;

/**
 * A personal API key, or a copy of one for processes on other databases; the key itself is stored nowhere. Of a removed
 * one only id, version and time are left, so that an older event doesn't restore it.
 */
@Schema({ collection: 'apikeys', versionKey: false })
export class ApiKey {
  _id!: Types.ObjectId;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** Empty in copies. */
  @Prop({ type: String, default: '' })
  name!: string;

  /** SHA-256 of the secret part, base64url: it has 256 random bits, so a fast hash is enough. */
  @Prop({ required: true })
  secretHash!: string;

  @Prop({ type: [String], required: true })
  scopes!: ApiKeyScope[];

  /** A copy of the user's. */
  @Prop({ type: String, required: true, enum: ROLES })
  role!: Role;

  /** Null in keys of earlier releases that haven't been migrated yet: such a key doesn't expire. */
  @Prop({ type: Date, default: null })
  expiresAt!: Date | null;

  /** When its owner is to be notified that it expires; null when that is done, and in copies. */
  @Prop({ type: Date, default: null })
  announceExpiryAt!: Date | null;

  /** To the minute: a use is recorded at most once in one. */
  @Prop({ type: Date, default: null })
  lastUsedAt!: Date | null;

  @Prop({ required: true, default: () => databaseDate() })
  createdAt!: Date;

  /** Grows with each change. */
  @Prop({ required: true, default: 1 })
  version!: number;

  @Prop({ type: Date })
  removedAt?: Date;

  /** The owner's id while a change of many keys at once hasn't been published for this one. */
  @Prop({ type: SchemaTypes.ObjectId })
  unpublishedOf?: Types.ObjectId;
}

export const ApiKeySchema = SchemaFactory.createForClass(ApiKey);
ApiKeySchema.index({ user: 1, _id: 1 });
ApiKeySchema.index({ announceExpiryAt: 1 });
ApiKeySchema.index({ expiresAt: 1 }, { expireAfterSeconds: EXPIRED_KEPT_SECONDS });
ApiKeySchema.index({ unpublishedOf: 1 }, { sparse: true });
ApiKeySchema.index({ removedAt: 1 }, { expireAfterSeconds: REMOVAL_KEPT_SECONDS });
