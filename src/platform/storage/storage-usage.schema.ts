import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';

/** How many bytes of a user's the store holds, or may come to hold: the sum of the user's reservations. */
@Schema({ collection: 'storageusages', versionKey: false })
export class StorageUsage {
  /** The user. */
  @Prop({ type: SchemaTypes.ObjectId, required: true })
  _id!: Types.ObjectId;

  @Prop({ required: true })
  bytes!: number;
}

export const StorageUsageSchema = SchemaFactory.createForClass(StorageUsage);

/** The bytes of one object, from the moment its upload is allowed until it is removed from the store. */
@Schema({ collection: 'storagereservations', versionKey: false })
export class StorageReservation {
  /** The object's key. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: SchemaTypes.ObjectId, required: true })
  user!: Types.ObjectId;

  /** Bytes. */
  @Prop({ required: true })
  size!: number;
}

export const StorageReservationSchema = SchemaFactory.createForClass(StorageReservation);
StorageReservationSchema.index({ user: 1, _id: 1 });
