import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes } from 'mongoose';

/** How far a migration has come: one document each, the ledger of the database. */
@Schema({ collection: 'migrations', versionKey: false })
export class MigrationEntry {
  /** `owner.0001-what-it-does`. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ required: true })
  startedAt!: Date;

  /** Null while there is something left. */
  @Prop({ type: Date, default: null })
  completedAt!: Date | null;

  /** Where the next batch begins; null before the first. */
  @Prop({ type: SchemaTypes.Mixed, default: null })
  position!: unknown;

  /** How many documents it has changed. */
  @Prop({ required: true, default: 0 })
  changed!: number;

  /** Identifies the runner that works on it; null when none does. */
  @Prop({ type: String, default: null })
  lease!: string | null;

  /** Until then no other runner takes it over. */
  @Prop({ required: true })
  leaseUntil!: Date;
}

export const MigrationEntrySchema = SchemaFactory.createForClass(MigrationEntry);
