import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';

/** The code that a user was sent to confirm a number: the latest, until it is used or its time is over. */
@Schema({ collection: 'phonecodes', versionKey: false })
export class PhoneCode {
  /** The user's id. */
  _id!: Types.ObjectId;

  /** The number it was sent to; of no use for any other. */
  @Prop({ required: true })
  phone!: string;

  /** A keyed hash, for six digits could be guessed from any other. */
  @Prop({ required: true })
  hash!: string;

  @Prop({ required: true })
  tries!: number;

  @Prop({ required: true })
  expiresAt!: Date;
}

export const PhoneCodeSchema = SchemaFactory.createForClass(PhoneCode);
PhoneCodeSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
