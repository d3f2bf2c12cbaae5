import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@jest/types';
import type { Stack } from '../../local/stack.js';

type StackModule = typeof import('../../local/stack.js');

const PATIENCE_MS = 3000;

/** How the tear-down, which runs in the same process, finds what to stop. */
export type WithTestStack = typeof globalThis & { stopTestStack?: () => Promise<void> };

function exportAddresses({ mongodbUri, redisUrl, smtpUrl, mailDir }: Stack): void {
  process.env['TEST_MONGODB_URI'] = mongodbUri;
  process.env['TEST_REDIS_URL'] = redisUrl;
  process.env['TEST_SMTP_URL'] = smtpUrl;
  process.env['TEST_MAIL_DIR'] = mailDir;
}

/** Keeps quiet about a start that takes no time, and explains one that does: something is being fetched then. */
function patientLog(): { log: (line: string) => void; done: () => void } {
  const held: string[] = [];
  let open = false;
  const show = (): void => {
    open = true;
    process.stderr.write(held.map((line) => `${line}\n`).join(''));
  };
  const timer = setTimeout(show, PATIENCE_MS);
  return {
    log: (line) => void (open ? process.stderr.write(`${line}\n`) : held.push(line)),
    done: () => clearTimeout(timer),
  };
}

/**
 * Starts a MongoDB, a Redis and a mail catcher of this run's own, on free ports and in a folder that is removed, so
 * that runs beside each other don't meet. A preset TEST_MONGODB_URI or TEST_REDIS_URL is used instead (CI runs
 * on a real MongoDB). The stack's compiled code is loaded, since Jest transpiles this file alone.
 */
export default async function setUp(_: Config.GlobalConfig, { rootDir }: Config.ProjectConfig): Promise<void> {
  const { startStack } = (await import(join(rootDir, 'local/dist/stack.js'))) as StackModule;
  const dataDir = mkdtempSync(join(tmpdir(), 'stack-'));
  const { log, done } = patientLog();
  const stack = await startStack({
    dataDir,
    durable: false,
    env: { MONGODB_URI: process.env['TEST_MONGODB_URI'], REDIS_URL: process.env['TEST_REDIS_URL'] },
    log,
  }).finally(done);
  exportAddresses(stack);
  process.env['TEST_STORAGE_DIR'] = join(dataDir, 'files');
  (globalThis as WithTestStack).stopTestStack = async () => {
    await stack.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
