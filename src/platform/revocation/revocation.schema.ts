import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** Longer than an access token lives, with room for clocks that disagree. */
export const REVOCATIONS_KEPT_SECONDS = 3600;

/** One entry of the feed: from `at` on, either this session's tokens count no more, or all of this user's issued before `at`. */
@Schema({ collection: 'revocations', versionKey: false })
export class Revocation {
  /** `<kind>:<subject>`, so that the same news twice is one entry. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: String, required: true, enum: ['session', 'user'] })
  kind!: 'session' | 'user';

  /** The session's or the user's id. */
  @Prop({ required: true })
  subject!: string;

  @Prop({ required: true })
  at!: Date;

  /** When this database learned of it, which is what is new since the last look goes by: news may come late. */
  @Prop({ required: true })
  recordedAt!: Date;
}

export const RevocationSchema = SchemaFactory.createForClass(Revocation);
RevocationSchema.index({ recordedAt: 1 }, { expireAfterSeconds: REVOCATIONS_KEPT_SECONDS });
