import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

export const ATTACHMENT_STATES = ['pending', 'complete'] as const;
/** `pending`: a URL was given out, and whether anything was uploaded isn't known yet. */
export type AttachmentState = (typeof ATTACHMENT_STATES)[number];

/** A file of a task; its content is an object in the store (`attachmentPath`). */
@Schema({ _id: false })
export class Attachment {
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  id!: Types.ObjectId;

  @Prop({ required: true })
  filename!: string;

  @Prop({ required: true })
  contentType!: string;

  /** Bytes. */
  @Prop({ required: true })
  size!: number;

  @Prop({ type: String, required: true, enum: ATTACHMENT_STATES })
  state!: AttachmentState;
}

export const AttachmentSchema = SchemaFactory.createForClass(Attachment);

/** The first segment of the keys of all attachments. */
export const ATTACHMENTS = 'attachments';

/** The segments of an attachment's key, or those that all of a task's or of a user's begin with. */
export function attachmentPath(...ids: (Types.ObjectId | string)[]): string[] {
  return [ATTACHMENTS, ...ids.map(String)];
}
