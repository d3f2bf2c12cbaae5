import type { Types } from 'mongoose';
import type { Binding } from '../../common/crypto/secret-box.js';

/** The purpose for which secrets of second factors are encrypted. */
export const MFA_SECRET = 'mfa-secret';

/** The fields of an account that hold such a secret. */
export type MfaSecretField = 'mfa.secret' | 'pendingMfaSecret';

/** What a secret of a second factor is bound to. */
export function mfaBinding(account: Types.ObjectId, field: MfaSecretField): Binding {
  return { owner: String(account), field };
}
