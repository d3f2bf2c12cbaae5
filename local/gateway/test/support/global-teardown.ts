import type { WithTestEngine } from './global-setup.js';

export default async function tearDown(): Promise<void> {
  await (globalThis as WithTestEngine).stopTestEngine?.();
}
