import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withLock } from './lock.js';
import { PROJECT_ROOT } from './paths.js';
import { runTool } from './tool.js';

const PROGRAM = join(PROJECT_ROOT, 'local/dist/mongod-fetch.js');
const REMEMBERED_MS = 24 * 60 * 60 * 1000;

interface Refusal {
  at: number;
  reason: string;
}

/** The refusal of the last day, so that later starts don't wait for the same answer. */
function recall(file: string): Refusal | undefined {
  try {
    const refusal = JSON.parse(readFileSync(file, 'utf8')) as Refusal;
    return Date.now() - refusal.at < REMEMBERED_MS ? refusal : undefined;
  } catch {
    return undefined;
  }
}

/** What the fetching program said in the end: a path, or the reason why there is none. */
export function parseFetchResult(output: string): { path: string } | { reason: string } {
  const last = output.trim().split('\n').at(-1) ?? '';
  if (last.startsWith('mongod ')) return { path: last.slice('mongod '.length) };
  return { reason: last.startsWith('refused ') ? last.slice('refused '.length) : 'it ended without a result' };
}

/** Shows the library's own progress ("Downloading MongoDB ...: 12.3% (9.1mb / 74mb)"), and nothing else it says. */
function showDownload(line: string): void {
  const text = line.split('\r').at(-1) ?? '';
  if (process.stderr.isTTY && /^Downloading MongoDB.*%/.test(text)) process.stderr.write(`\r\x1b[2K  ${text}`);
}

/**
 * A mongod that mongodb-memory-server has or can fetch; a refused download is known within seconds and
 * remembered for a day.
 *
 * @throws Error with the reason in one line.
 */
export async function fetchMongod(cacheDir: string, log: (line: string) => void): Promise<string> {
  const memory = join(cacheDir, 'mongod-refused.json');
  const before = recall(memory);
  if (before)
    throw new Error(
      `${before.reason} (asked ${new Date(before.at).toISOString().slice(0, 16)}, asks again after a day)`,
    );
  const downloadDir = join(cacheDir, 'mongod');
  mkdirSync(downloadDir, { recursive: true });
  const waiting = ({ pid }: { pid: number }): void =>
    log(`waiting for process ${pid}, which is fetching into ${cacheDir}`);
  return withLock(join(cacheDir, 'lock'), waiting, async () => {
    // The library checks neither certificate nor checksum unless told to.
    const env = { ...process.env, npm_config_strict_ssl: 'true', MONGOMS_MD5_CHECK: 'true' };
    const result = parseFetchResult(
      await runTool(process.execPath, [PROGRAM, downloadDir], { env, onLine: showDownload }),
    );
    if ('path' in result) {
      rmSync(memory, { force: true });
      return result.path;
    }
    writeFileSync(memory, JSON.stringify({ at: Date.now(), reason: result.reason } satisfies Refusal));
    throw new Error(result.reason);
  });
}
