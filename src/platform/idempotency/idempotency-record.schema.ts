import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

/** An answer as it was sent; `body` is its text, null for none. */
@Schema({ _id: false, minimize: false })
export class KeptAnswer {
  @Prop({ required: true })
  status!: number;

  @Prop({ type: SchemaTypes.Mixed, required: true })
  headers!: Record<string, string>;

  @Prop({ type: String, default: null })
  body!: string | null;
}

/** A request with an idempotency key: claimed while it runs, then with its answer. */
@Schema({ collection: 'idempotencykeys', versionKey: false, minimize: false })
export class IdempotencyRecord {
  /** SHA-256 of user, route and key, base64url. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** SHA-256 of the body, base64url. */
  @Prop({ required: true })
  fingerprint!: string;

  /** Which of several equal requests carries it out; only that one may store the answer. */
  @Prop({ required: true })
  lease!: string;

  /** From then on, another request may carry it out: the holder's process seems to have died. */
  @Prop({ required: true })
  leaseUntil!: Date;

  /** Written in the transaction of what the request changed, so there is never one without the other. */
  @Prop({ type: SchemaFactory.createForClass(KeptAnswer), default: null })
  answer!: KeptAnswer | null;

  @Prop({ required: true })
  expiresAt!: Date;
}

export const IdempotencyRecordSchema = SchemaFactory.createForClass(IdempotencyRecord);
IdempotencyRecordSchema.index({ user: 1 });
IdempotencyRecordSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
