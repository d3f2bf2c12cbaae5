import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@jest/types';
import type { Stack } from '../../local/stack.js';

type StackModule = typeof import('../../local/stack.js');

/** How the tear-down, which runs in the same process, finds what to stop. */
export type WithTestStack = typeof globalThis & { stopTestStack?: () => Promise<void> };

function exportAddresses({ mongodbUri, redisUrl, smtpUrl, mailDir }: Stack): void {
  process.env['TEST_MONGODB_URI'] = mongodbUri;
  process.env['TEST_REDIS_URL'] = redisUrl;
  process.env['TEST_SMTP_URL'] = smtpUrl;
  process.env['TEST_MAIL_DIR'] = mailDir;
}

/**
 * Starts a MongoDB, a Redis and a mail catcher of this run's own, on free ports and in a folder that vanishes, so
 * that runs beside each other don't meet. A preset TEST_MONGODB_URI or TEST_REDIS_URL is used instead (CI runs
 * on a real MongoDB). The stack's compiled code is loaded, since Jest transpiles this file alone.
 */
export default async function setUp({ rootDir }: Config.GlobalConfig): Promise<void> {
  const { startStack } = (await import(join(rootDir, 'local/dist/stack.js'))) as StackModule;
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-'));
  const stack = await startStack({
    dataDir,
    durable: false,
    env: { MONGODB_URI: process.env['TEST_MONGODB_URI'], REDIS_URL: process.env['TEST_REDIS_URL'] },
    log: (line) => process.stderr.write(`${line}\n`),
  });
  exportAddresses(stack);
  (globalThis as WithTestStack).stopTestStack = async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
