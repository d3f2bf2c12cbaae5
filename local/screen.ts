import { relative } from 'node:path';

/** What the launcher shows once everything runs. */
export interface Addresses {
  url: string;
  /** Those that serve it. */
  processes: { name: string; metricsUrl: string }[];
  /** Absent where mail goes to a server of the user's. */
  mailDir?: string;
  seconds: number;
}

/** One line of the launcher's own. */
export function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** What is kept for a terminal or pipe that takes nothing, in bytes; further lines are dropped. */
const MAX_UNSHOWN_BYTES = 1024 * 1024;
let dropped = 0;

/** One line of the service's log. */
export function showLog(line: string): void {
  if (process.stdout.writableLength > MAX_UNSHOWN_BYTES) {
    dropped += 1;
    return;
  }
  if (dropped > 0) process.stdout.write(`(${dropped} lines were dropped here)\n`);
  dropped = 0;
  process.stdout.write(`${line}\n`);
}

/** Ready to paste; the address differs from start to start, since one can be registered once only. */
export function registerCommand(url: string, unique: string): string {
  const body = JSON.stringify({
    name: 'Ada Lovelace',
    email: `ada+${unique}@example.com`,
    password: 'analytical-engine-1843',
  });
  return `curl -i ${url}/api/v1/auth/register -H 'Content-Type: application/json' -d '${body}'`;
}

/** The screen after a start. */
export function readyScreen({ url, processes, mailDir, seconds }: Addresses): string {
  const rows: [string, string][] = [
    ['Swagger UI', `${url}/docs`],
    ['Health', `${url}/health`],
    ...processes.map(({ name, metricsUrl }): [string, string] => {
      return ['Metrics', processes.length > 1 ? `${metricsUrl} (${name})` : metricsUrl];
    }),
  ];
  if (mailDir) rows.push(['Mail', `${relative(process.cwd(), mailDir) || mailDir}/*.eml`]);
  return [
    '',
    `Ready after ${seconds.toFixed(1)} s.`,
    '',
    ...rows.map(([label, value]) => `  ${label.padEnd(11)} ${value}`),
    '',
    'Register a user:',
    '',
    `  ${registerCommand(url, Date.now().toString(36))}`,
    '',
    'Ctrl-C stops everything; the data stay in .local/.',
    '',
  ].join('\n');
}
