import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** Failed log-ins in a window of one account, network or device. In MongoDB: a lock must survive a flushed Redis. */
@Schema({ collection: 'attemptcounters', versionKey: false })
export class AttemptCounter {
  /**
   * `email:<hash>` counts an account from all networks, `email:<hash>:network:<hash>` and `email:<hash>:device:<session>` from one
   * of them; `address:<hash>` counts a network over all accounts; `step-up:<kind>:<user>` an account within its sessions.
   */
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
