import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { type Role, ROLES } from '../../../contracts/role.js';
import { databaseDate } from '../../../platform/database/database-clock.js';

/** Time-based one-time passwords (RFC 6238), once confirmed. */
export interface Mfa {
  /** Encrypted, and bound to the account and the field (`MfaCodes`). */
  secret: string;
  /** The time step of the last code that was accepted: neither it nor an earlier one is accepted again. */
  lastStep: number;
  /** SHA-256 of the codes that are left. */
  recoveryCodes: string[];
  /** Missing where an earlier release turned it on. */
  enabledAt?: Date;
}

/** What changes when a code is used: of an authenticator, or a recovery code. */
export type UsedCode = Pick<Mfa, 'lastStep'> | Pick<Mfa, 'recoveryCodes'>;

/** What ends a secret that waits for its confirmation. */
export const NOT_PENDING = { pendingMfaSecret: null, pendingMfaSince: null } as const;

/** Who may log in, and how. Its id is the user's id in every module; name and role are copies of the users module's. */
@Schema({ collection: 'accounts', versionKey: false })
export class Account {
  _id!: Types.ObjectId;

  /** In its canonical spelling (`canonicalAddress`), or as an earlier release stored it. */
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

  /** Grows with each change of address, password or second factor: a log-in that began before doesn't count. */
  @Prop({ required: true, default: 1 })
  version!: number;

  @Prop({ type: SchemaTypes.Mixed, default: null })
  mfa!: Mfa | null;

  /** A secret that was shown but not confirmed yet; encrypted and bound in the same way. */
  @Prop({ type: String, default: null })
  pendingMfaSecret!: string | null;

  /** When it was shown; missing in documents of an earlier release. */
  @Prop({ type: Date, default: null })
  pendingMfaSince!: Date | null;

  /** No access token of an earlier time counts; a whole second. */
  @Prop({ type: Date, default: null })
  tokensValidFrom!: Date | null;

  /** The version of the profile that `role` was copied from. */
  @Prop({ required: true, default: 0 })
  roleVersion!: number;

  /** When an administrator suspended it; a copy of the users module's. */
  @Prop({ type: Date, default: null })
  suspendedAt!: Date | null;

  /** The version of the profile that `suspendedAt` was copied from. */
  @Prop({ required: true, default: 0 })
  suspensionVersion!: number;

  /** The version of the profile that `name` was copied from. */
  @Prop({ required: true, default: 0 })
  profileVersion!: number;

  /** When a transaction last relied on this account being unchanged. Writing it makes a parallel change conflict. */
  @Prop({ type: Date })
  countedOnAt?: Date;

  @Prop({ type: Date, default: null })
  lastLoginAt!: Date | null;

  @Prop({ required: true, default: () => databaseDate() })
  createdAt!: Date;
}

export const AccountSchema = SchemaFactory.createForClass(Account);
AccountSchema.index({ email: 1 });
AccountSchema.index({ role: 1 });
