import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';

/** The latest code that was sent to a user to confirm a number, until it is used or expires. */
@Schema({ collection: 'phonecodes', versionKey: false })
export class PhoneCode {
  /** The user's id. */
  _id!: Types.ObjectId;

  /** The number it was sent to; of no use for any other. */
  @Prop({ required: true })
  phone!: string;

  /** A keyed hash: six digits could be found by trial from any other. */
  @Prop({ required: true })
  hash!: string;

  @Prop({ required: true })
  tries!: number;

  @Prop({ required: true })
  expiresAt!: Date;
}

export const PhoneCodeSchema = SchemaFactory.createForClass(PhoneCode);
PhoneCodeSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
