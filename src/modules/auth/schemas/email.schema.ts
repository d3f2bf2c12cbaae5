import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

/** An address in use. A collection of its own, because only `_id` is unique across the shards of a collection. */
@Schema({ collection: 'emails', versionKey: false })
export class Email {
  /** The address in its canonical spelling (`canonicalAddress`); until the contract step, older ones stand beside it. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  account!: Types.ObjectId;

  /** Of a canonical row: the spelling that stands beside it for instances of the previous release. */
  @Prop({ type: String })
  previousSpelling?: string;
}

export const EmailSchema = SchemaFactory.createForClass(Email);
