import type { ModuleName } from '../contracts/modules.js';

/**
 * What keys are derived from `APP_SECRETS` for, and the modules whose processes need each of them. From the manifests, by
 * `npm run generate`.
 */
export const KEY_PURPOSES = {
  'refresh-token': ['auth'],
  'mfa-secret': ['auth'],
  'device-token': ['auth'],
  'step-up-question': ['auth', 'users'],
  'step-up-answer': ['auth', 'users'],
  'one-time-token': ['auth', 'users', 'notifications'],
  cursor: ['auth', 'users', 'tasks', 'notifications'],
  'phone-code': ['users'],
  'email-unsubscribe': ['users', 'notifications'],
  'files.url': ['users', 'tasks'],
} as const satisfies Record<string, readonly ModuleName[]>;

export type KeyPurpose = keyof typeof KEY_PURPOSES;

/** The purposes that processes serving these modules need keys for. */
export function purposesOf(modules: readonly string[]): KeyPurpose[] {
  const entries = Object.entries(KEY_PURPOSES) as [KeyPurpose, readonly string[]][];
  return entries.filter(([, users]) => users.some((name) => modules.includes(name))).map(([purpose]) => purpose);
}
