import { canonicalFormOf } from '../../common/validation/mail-address.js';
import { changeDocuments } from './document-batches.js';
import type { Migration } from './migration.js';

/** Addresses with a quote, a space, a capital letter or a character beyond ASCII. */
const UNUSUAL = /[^a-z0-9.!#$%&'*+/=?^_`{|}~@-]/;

/**
 * The migration that writes a module's copies of mail addresses, in the field `email`, in their canonical spelling.
 *
 * @param versionField of documents whose `ETag` covers the address: it grows by one
 */
export function canonicalAddresses(collection: string, versionField?: string): Migration {
  return {
    id: '0001-mail-addresses-are-canonical',
    phase: 'contract',
    runBatch: changeDocuments<{ email: string }>({
      collection,
      filter: { email: UNUSUAL },
      fields: ['email'],
      change: ({ email }) => {
        const address = canonicalFormOf(email);
        if (address === null || address === email) return null;
        return { $set: { email: address }, ...(versionField && { $inc: { [versionField]: 1 } }) };
      },
    }),
  };
}
