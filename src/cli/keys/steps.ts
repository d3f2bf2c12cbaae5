import { UsageError } from '../command.js';
import type { KeyKind } from './key-kinds.js';

/** Behind all others: it reads everywhere before anybody makes anything with it. */
export function add(keys: readonly string[], key: string): string[] {
  return [...keys, key];
}

/** The last to the front: from now on it makes, and the others still read. */
export function promote(keys: readonly string[]): string[] {
  if (keys.length < 2) throw new UsageError('There is nothing to promote: add a key first, and roll that out.');
  return [...keys.slice(-1), ...keys.slice(0, -1)];
}

/** Without the last. */
export function retire(keys: readonly string[]): string[] {
  if (keys.length < 2)
    throw new UsageError('The only key stays: add another, and promote it, before you retire this one.');
  return keys.slice(0, -1);
}

/** How long others may keep `/.well-known/jwks.json`: its `Cache-Control`. */
const JWKS_MAX_AGE_SECONDS = 300;

/** How long what a key has made goes on being good, in seconds; from the environment that the service runs with. */
export interface Waits {
  accessToken: number;
  refreshToken: number;
}

/** What to do with the value that a step has printed, and when to take the next. */
export function adviceFor(step: 'make' | 'add' | 'promote' | 'retire', kind: KeyKind, waits: Waits): string {
  const jwt = kind.variable === 'JWT_PRIVATE_KEYS';
  const where = jwt
    ? 'every process that serves auth (for others JWT_PUBLIC_KEYS: cli keys public)'
    : 'every process (or APP_KEYS: cli keys derive)';
  const set = `Set ${kind.variable} to this for ${where}, and wait until all of them run with it`;
  switch (step) {
    case 'make':
      return `A new key, for a ${kind.variable} that has none yet. To replace one that is in use: cli keys add.`;
    case 'add':
      return jwt
        ? `${set}, and ${JWKS_MAX_AGE_SECONDS} s longer: so long may others keep the key set. Then: cli keys promote.`
        : `${set}. Then: cli keys promote.`;
    case 'promote':
      return jwt
        ? `${set}, and ${waits.accessToken} s longer: so long do tokens live that the old key signed. Then: cli keys retire.`
        : `${set}, and ${waits.refreshToken} s longer: so long do refresh tokens live that the old secret made. Then: cli reencrypt-secrets, and cli keys retire.`;
    case 'retire':
      return `${set}. What the retired one made isn't accepted any more.`;
  }
}
