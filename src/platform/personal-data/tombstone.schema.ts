import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';

/** Longer than any event can stay under way. */
const KEPT_SECONDS = 90 * 24 * 3600;

/** The mark of a deleted user, so that an event that comes late doesn't bring their data back. */
@Schema({ collection: 'tombstones', versionKey: false })
export class Tombstone {
  /** The user's id. */
  _id!: Types.ObjectId;

  @Prop({ required: true })
  at!: Date;

  /** When to look for what was under way while the data were erased; absent once that is done. */
  @Prop({ type: Date })
  eraseAgainAt?: Date;
}

export const TombstoneSchema = SchemaFactory.createForClass(Tombstone);
TombstoneSchema.index({ at: 1 }, { expireAfterSeconds: KEPT_SECONDS });
TombstoneSchema.index({ eraseAgainAt: 1 });
