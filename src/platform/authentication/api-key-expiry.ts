import { databaseNow } from '../database/database-clock.js';
const DAY_MS = 24 * 3_600_000;
const ANNOUNCED_BEFORE_MS = 7 * DAY_MS;

/** How long an API key is valid where nothing else is asked for. */
export const API_KEY_LIFETIME_MS = 90 * DAY_MS;

/** @returns when the owner is notified that a key expires: a week before; null where that is past */
export function announceExpiryAt(expiresAt: Date): Date | null {
  const at = expiresAt.getTime() - ANNOUNCED_BEFORE_MS;
  return at > databaseNow() ? new Date(at) : null;
}
