import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** Failed log-ins of one account or one client address in a window. In MongoDB: a lock must survive a flushed Redis. */
@Schema({ collection: 'attemptcounters', versionKey: false })
export class AttemptCounter {
  /** `email:` or `address:`, and a hash. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ required: true })
  count!: number;

  @Prop({ required: true })
  lastAttemptAt!: Date;

  /** The end of the window. */
  @Prop({ required: true })
  expiresAt!: Date;
}

export const AttemptCounterSchema = SchemaFactory.createForClass(AttemptCounter);
AttemptCounterSchema.index({ expiresAt: 1 }, { expireAfterSeconds: 0 });
