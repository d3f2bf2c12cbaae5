import { changeDocuments } from '../../migrations/document-batches.js';
import type { Migration } from '../../migrations/migration.js';
import { announceExpiryAt, API_KEY_LIFETIME_MS } from '../api-key-expiry.js';

/**
 * Gives keys without an expiry 90 days from the upgrade, and has that announced at once; the expiry of others is announced
 * a week before. Instances of the previous release understand an expiry, and go on creating keys without one.
 */
const runBatch = changeDocuments<{ expiresAt: Date | null }>({
  collection: 'apikeys',
  filter: { announceExpiryAt: { $exists: false }, removedAt: { $exists: false } },
  fields: ['expiresAt'],
  change: ({ expiresAt }, { startedAt }) =>
    expiresAt
      ? { $set: { announceExpiryAt: announceExpiryAt(expiresAt) } }
      : { $set: { expiresAt: new Date(startedAt.getTime() + API_KEY_LIFETIME_MS), announceExpiryAt: startedAt } },
});

export const API_KEY_MIGRATIONS: Migration[] = [
  { id: '0001-api-keys-expire', phase: 'expand', runBatch },
  { id: '0002-later-api-keys-expire', phase: 'contract', runBatch },
];
