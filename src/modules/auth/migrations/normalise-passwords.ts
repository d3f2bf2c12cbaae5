import type { Migration } from '../../../platform/migrations/migration.js';

/**
 * From this step on, passwords are hashed in Unicode NFC: instances of the previous release hash and compare the form that
 * was sent. It changes nothing that is stored, since a hash can't be converted: the next log-in does it.
 */
export const NORMALISE_PASSWORDS: Migration = {
  id: '0004-passwords-are-nfc',
  phase: 'contract',
  runBatch: () => Promise.resolve({ changed: 0, position: null }),
};
