import type { mongo } from 'mongoose';
import { SecretBox } from '../../../common/crypto/secret-box.js';
import { changeDocuments } from '../../../platform/migrations/document-batches.js';
import type { Migration } from '../../../platform/migrations/migration.js';
import { MFA_SECRET, type MfaSecretField, mfaBinding } from '../mfa-secret-binding.js';

interface StoredAccount {
  _id: mongo.ObjectId;
  mfa?: { secret: string } | null;
  pendingMfaSecret?: string | null;
}

const NOT_BOUND = { $type: 'string', $not: /^v2\./ };

const runBatch: Migration['runBatch'] = (context, position) => {
  const box = new SecretBox(context.environment);
  return changeDocuments<StoredAccount>({
    collection: 'accounts',
    filter: { $or: [{ 'mfa.secret': NOT_BOUND }, { pendingMfaSecret: NOT_BOUND }] },
    fields: ['mfa.secret', 'pendingMfaSecret'],
    change: ({ _id, mfa, pendingMfaSecret }) => {
      const bound = (field: MfaSecretField, sealed: string | null | undefined) => {
        const replacement = sealed ? box.reencrypt(MFA_SECRET, sealed, mfaBinding(_id, field)) : null;
        return replacement === null ? {} : { [field]: replacement };
      };
      const $set = { ...bound('mfa.secret', mfa?.secret), ...bound('pendingMfaSecret', pendingMfaSecret) };
      return Object.keys($set).length > 0 ? { $set } : null;
    },
  })(context, position);
};

/**
 * Binds the encrypted secrets of second factors to their account and field. Instances of the previous release can't read
 * a bound secret, so there is no expand step; instances of this release write bound ones once this step has begun.
 * A secret that can't be decrypted stays as it is.
 */
export const BIND_MFA_SECRETS: Migration = { id: '0001-mfa-secrets-are-bound', phase: 'contract', runBatch };
