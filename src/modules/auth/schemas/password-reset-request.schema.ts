import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { WORK_INDEX, WorkItem } from '../../../platform/work/work.schema.js';

/**
 * A request to reset a password. Stored for known and unknown addresses alike and processed later, so that the answer
 * takes the same time for both.
 */
@Schema({ collection: 'passwordresetrequests', versionKey: false })
export class PasswordResetRequest extends WorkItem {
  /** In its canonical spelling. */
  @Prop({ required: true })
  email!: string;

  @Prop({ type: String, default: '' })
  ip!: string;

  @Prop({ type: String, default: '' })
  userAgent!: string;
}

export const PasswordResetRequestSchema = SchemaFactory.createForClass(PasswordResetRequest);
PasswordResetRequestSchema.index(WORK_INDEX);
