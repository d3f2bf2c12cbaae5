import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Config } from '@jest/types';

interface EngineModule {
  startDocumentDbEngine(options: {
    dataDir: string;
    cacheDir: string;
    log: (line: string) => void;
    durable: boolean;
  }): Promise<{ postgresUrl: string; stop(): Promise<void> }>;
}

interface PathsModule {
  cacheDir(): string;
}

/** How the tear-down, which runs in the same process, finds what to stop. */
export type WithTestEngine = typeof globalThis & { stopTestEngine?: () => Promise<void> };

/**
 * Finds the engine the tests run against: the one at GATEWAY_TEST_POSTGRES, or a fresh one of the local stack,
 * whose compiled code is loaded because Jest transpiles this file alone.
 */
export default async function setUp(_: Config.GlobalConfig, { rootDir }: Config.ProjectConfig): Promise<void> {
  process.env['GATEWAY_MAIN'] = join(rootDir, 'local/gateway/dist/main.js');
  if (process.env['GATEWAY_TEST_POSTGRES']) return;
  const { startDocumentDbEngine } = (await import(join(rootDir, 'local/dist/documentdb-engine.js'))) as EngineModule;
  const { cacheDir } = (await import(join(rootDir, 'local/dist/paths.js'))) as PathsModule;
  const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
  chmodSync(folder, 0o755); // PostgreSQL refuses to run as root, and whoever it runs as has to get in
  const dataDir = join(folder, 'postgres');
  const log = (line: string): void => void process.stderr.write(`${line}\n`);
  const engine = await startDocumentDbEngine({ dataDir, cacheDir: cacheDir(), log, durable: false });
  process.env['GATEWAY_TEST_POSTGRES'] = engine.postgresUrl;
  (globalThis as WithTestEngine).stopTestEngine = async () => {
    await engine.stop();
    rmSync(folder, { recursive: true, force: true });
  };
}
