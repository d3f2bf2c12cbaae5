import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const SCRIPT = join(import.meta.dirname, 'wrk.lua');

// At once, not after the minutes that it takes to fill a database.
if (spawnSync('wrk').error) {
  console.error('This benchmark needs wrk (Debian, Ubuntu: apt install wrk).');
  process.exit(1);
}

/**
 * Requests by wrk, which takes little of the processor and waits for nothing but the answers.
 *
 * @param url of the service
 * @param options.tokens of the users who ask; an empty one for requests without
 * @param options.paths what each asks for, in turns: a path, or `POST <path> <JSON>`
 * @param options.pauseMs between an answer and the connection's next request, on average
 * @returns the number of requests, and per second; the median and the 99th percentile of what one took, in milliseconds
 */
export async function read(url, { tokens, paths, connections, seconds, pauseMs = 0 }) {
  const folder = mkdtempSync(join(tmpdir(), 'scalable-api-bench-wrk-'));
  const file = join(folder, 'tokens');
  writeFileSync(file, tokens.map((token) => `${token}\n`).join(''));
  const time = ['--duration', `${seconds}s`, '--timeout', '60s'];
  const args = ['--threads', 1, '--connections', connections, ...time, '--script', SCRIPT];
  try {
    const { stdout } = await promisify(execFile)('wrk', [...args, url.href, '--', pauseMs, file, ...paths].map(String));
    const { failed, ...measured } = JSON.parse(/^\{.*\}$/m.exec(stdout)[0]);
    if (failed > 0) throw new Error(stdout);
    return measured;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The median of values, and their least and most. */
export function spread(values, digits) {
  const sorted = [...values].sort((a, b) => a - b);
  const [least, median, most] = [0, sorted.length >> 1, sorted.length - 1].map((at) => sorted[at].toFixed(digits));
  return `${median} (${least} to ${most})`;
}
