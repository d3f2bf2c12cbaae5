import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import type { ApiKeyScope } from '../../common/auth/scopes.js';
import { type Role, ROLES } from '../../contracts/role.js';

/** A personal API key; the key itself is stored nowhere. */
@Schema({ collection: 'apikeys', versionKey: false })
export class ApiKey {
  _id!: Types.ObjectId;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  @Prop({ required: true })
  name!: string;

  /** SHA-256 of the secret part, base64url: it has 256 random bits, so a fast hash is enough. */
  @Prop({ required: true })
  secretHash!: string;

  @Prop({ type: [String], required: true })
  scopes!: ApiKeyScope[];

  /** A copy of the user's. */
  @Prop({ type: String, required: true, enum: ROLES })
  role!: Role;

  @Prop({ type: Date, default: null })
  expiresAt!: Date | null;

  /** To the minute: a use is recorded at most once in one. */
  @Prop({ type: Date, default: null })
  lastUsedAt!: Date | null;

  @Prop({ required: true, default: () => new Date() })
  createdAt!: Date;
}

export const ApiKeySchema = SchemaFactory.createForClass(ApiKey);
ApiKeySchema.index({ user: 1, _id: 1 });
