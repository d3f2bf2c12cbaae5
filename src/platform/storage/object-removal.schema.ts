import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { WORK_INDEX, WorkItem } from '../work/work.schema.js';

/** Objects that may have to go, stored in the transaction that is the reason for it. */
@Schema({ collection: 'objectremovals', versionKey: false })
export class ObjectRemoval extends WorkItem {
  /** Who decides whether they are still in use: the first segment of their keys. */
  @Prop({ required: true })
  owner!: string;

  /** The segments behind it that their keys have in common; all of them where it is one object's. */
  @Prop({ type: [String], required: true })
  path!: string[];

  /**
   * Its upload URL may still work: the object is replaced by something that refuses uploads, and removed when none can be
   * running any more. Instances of releases before this field remove it at once.
   */
  @Prop({ required: true, default: false })
  uploadable!: boolean;
}

export const ObjectRemovalSchema = SchemaFactory.createForClass(ObjectRemoval);
ObjectRemovalSchema.index(WORK_INDEX);
