import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import type { AccountState } from '../../contracts/auth.events.js';
import { type Role, ROLES } from '../../contracts/role.js';

/** Longer than an access token lives, with room for clocks that disagree. */
export const REVOCATIONS_KEPT_SECONDS = 3600;

/**
 * `session`, `key`: this session or API key has ended. `user`: tokens of this user issued before `at` are revoked.
 * `account`: a recent decision about role and status. `standing`: the same of accounts that are or were suspended, kept
 * without a time limit.
 */
export const REVOCATION_KINDS = ['session', 'user', 'key', 'account', 'standing'] as const;
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** One entry of the feed of ended access. */
@Schema({ collection: 'revocations', versionKey: false })
export class Revocation {
  /** `<kind>:<subject>`, so that recording an ending twice makes one entry. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: String, required: true, enum: REVOCATION_KINDS })
  kind!: RevocationKind;

  /** The id of the session, key or user. */
  @Prop({ required: true })
  subject!: string;

  @Prop({ required: true })
  at!: Date;

  /**
   * When this database got the entry, by the database's clock (by the clock of an instance of an earlier release). Each
   * poll reads what is new by it, and it decides when the entry expires. Not in `standing` entries, which are read when a
   * process starts and don't expire.
   */
  @Prop({ type: Date })
  recordedAt?: Date;

  /** Of `account` and `standing`. */
  @Prop({ type: Number })
  version?: number;

  @Prop({ type: String, enum: ROLES })
  role?: Role;

  @Prop({ type: String, enum: ['active', 'suspended', 'deleted'] })
  status?: AccountState['status'];
}

export const RevocationSchema = SchemaFactory.createForClass(Revocation);
RevocationSchema.index({ recordedAt: 1 }, { expireAfterSeconds: REVOCATIONS_KEPT_SECONDS });

export function revocationId(kind: RevocationKind, subject: string): string {
  return `${kind}:${subject}`;
}
