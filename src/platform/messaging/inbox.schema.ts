import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { databaseDate } from '../database/database-clock.js';

/** Longer than any event can stay under way, so that a late repetition still finds its mark. */
const KEPT_SECONDS = 14 * 24 * 3600;

/** The mark that a handler has taken in an event; stored in the transaction of the handler's own change. */
@Schema({ collection: 'inbox', versionKey: false })
export class InboxEntry {
  /** `<event id>:<handler>` */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ required: true, default: () => databaseDate() })
  handledAt!: Date;
}

export const InboxSchema = SchemaFactory.createForClass(InboxEntry);
InboxSchema.index({ handledAt: 1 }, { expireAfterSeconds: KEPT_SECONDS });
