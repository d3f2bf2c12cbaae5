import type { WithTestStack } from './global-setup.js';

/** Stops what the set-up started and removes its data. */
export default async function tearDown(): Promise<void> {
  await (globalThis as WithTestStack).stopTestStack?.();
}
