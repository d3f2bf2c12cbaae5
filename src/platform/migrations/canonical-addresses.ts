import { canonicalFormOf } from '../../common/validation/mail-address.js';
import { changeDocuments } from './document-batches.js';
import type { Migration } from './migration.js';

/** Whatever has a quote, a space, a capital letter or a character beyond ASCII. */
const UNUSUAL = /[^a-z0-9.!#$%&'*+/=?^_`{|}~@-]/;

/** Writes a module's copies of mail addresses, in the field `email`, in their canonical spelling. */
export function canonicalAddresses(collection: string): Migration['runBatch'] {
  return changeDocuments<{ email: string }>({
    collection,
    filter: { email: UNUSUAL },
    fields: ['email'],
    change: ({ email }) => {
      const address = canonicalFormOf(email);
      return address === null || address === email ? null : { $set: { email: address } };
    },
  });
}
