import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes } from 'mongoose';
import type { CloudEvent } from '../../contracts/event.js';
import { WORK_INDEX, WorkItem } from '../work/work.schema.js';

/** An event on its way out, stored in the transaction that made it true. */
@Schema({ collection: 'outbox', versionKey: false, minimize: false })
export class OutboxEntry extends WorkItem {
  @Prop({ type: SchemaTypes.Mixed, required: true })
  event!: CloudEvent;
}

export const OutboxSchema = SchemaFactory.createForClass(OutboxEntry);
OutboxSchema.index(WORK_INDEX);
