import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes } from 'mongoose';
import type { CloudEvent } from '../../contracts/event.js';
import { WORK_INDEX, WorkItem } from '../work/work.schema.js';

/** An event on its way out, stored in the transaction that made it true. */
@Schema({ collection: 'outbox', versionKey: false, minimize: false })
export class OutboxEntry extends WorkItem {
  @Prop({ type: SchemaTypes.Mixed, required: true })
  event!: CloudEvent;

  /** The consumers that have to get it, as the release knew them that stored it; absent in entries of older releases. */
  @Prop({ type: [String], default: undefined })
  consumers?: string[];
}

export const OutboxSchema = SchemaFactory.createForClass(OutboxEntry);
OutboxSchema.index(WORK_INDEX);
