import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';
import { SchemaTypes, type Types } from 'mongoose';
import { AUDITED_ACTIONS } from '../../../contracts/users.events.js';

export const AUDIT_EVENTS = [
  'account.registered',
  'account.deleted',
  'login.succeeded',
  'login.failed',
  'login.locked',
  'step-up.failed',
  'refresh-token.reused',
  'session.ended',
  'sessions.ended',
  'password.reset-requested',
  'password.reset',
  'password.changed',
  'email.verified',
  'email.change-requested',
  'email.changed',
  'mfa.enabled',
  'mfa.disabled',
  'api-key.created',
  'api-key.removed',
  'role.changed',
  'user.changed',
  'user.suspended',
  'user.unsuspended',
  ...AUDITED_ACTIONS,
] as const;
export type AuditEvent = (typeof AUDIT_EVENTS)[number];

/** A security-relevant action. Entries are only added; addresses and user agents of a person are removed with their erasure. */
@Schema({ collection: 'auditentries', versionKey: false, minimize: false })
export class AuditEntry {
  _id!: Types.ObjectId;

  @Prop({ required: true })
  at!: Date;

  /** Who did it; null where nobody is known to (a log-in that failed). */
  @Prop({ type: SchemaTypes.ObjectId, default: null })
  actor!: Types.ObjectId | null;

  /** The API key that was used; null for a session, and in entries of earlier releases. */
  @Prop({ type: SchemaTypes.ObjectId, default: null })
  apiKey!: Types.ObjectId | null;

  @Prop({ type: String, required: true, enum: AUDIT_EVENTS })
  event!: AuditEvent;

  @Prop({ type: String, default: null })
  ip!: string | null;

  @Prop({ type: String, default: null })
  userAgent!: string | null;

  /** Ids and values, e.g. `{ userId, role }`; never a secret. */
  @Prop({ type: SchemaTypes.Mixed, required: true })
  details!: Record<string, string>;
}

export const AuditEntrySchema = SchemaFactory.createForClass(AuditEntry);
AuditEntrySchema.index({ at: -1, _id: -1 });
AuditEntrySchema.index({ actor: 1, at: -1, _id: -1 });
AuditEntrySchema.index({ event: 1, at: -1, _id: -1 });
AuditEntrySchema.index({ 'details.userId': 1 });
