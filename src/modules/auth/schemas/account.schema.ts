import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { Types } from 'mongoose';
import { type Role, ROLES } from '../../../contracts/role.js';

/** Who may log in, and how. Its id is the user's id in every module; name and role are copies of the users module's. */
@Schema({ collection: 'accounts', versionKey: false })
export class Account {
  _id!: Types.ObjectId;

  /** Lower case. */
  @Prop({ required: true })
  email!: string;

  @Prop({ required: true, default: false })
  emailVerified!: boolean;

  @Prop({ required: true })
  name!: string;

  @Prop({ required: true })
  passwordHash!: string;

  @Prop({ type: String, required: true, enum: ROLES, default: 'user' })
  role!: Role;

  /** The version of the profile that `name` was copied from. */
  @Prop({ required: true, default: 0 })
  profileVersion!: number;

  @Prop({ required: true, default: () => new Date() })
  createdAt!: Date;
}

export const AccountSchema = SchemaFactory.createForClass(Account);
AccountSchema.index({ email: 1 });
