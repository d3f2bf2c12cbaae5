import { createHash, randomBytes } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runTool } from './tool.js';
import { nobodyCanEnter } from './unprivileged.js';

/** Where root's data go when `nobody`, as whom PostgreSQL runs then, can't walk into the project's folder. */
const ELSEWHERE = '/var/lib/scalable-api';

/** The PostgreSQL version that wrote the data; undefined when there are none yet. */
export function majorOf(dataDir: string): number | undefined {
  const file = join(dataDir, 'PG_VERSION');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

/**
 * The real folder behind `dataDir`: itself, or, where the server's user couldn't reach it, one elsewhere that
 * `dataDir` becomes a link to.
 */
export function reachableFolder(dataDir: string, log: (line: string) => void): string {
  if (isLink(dataDir)) return readlinkSync(dataDir);
  if (nobodyCanEnter(dataDir)) return dataDir;
  const checkout = createHash('sha256').update(dataDir).digest('hex').slice(0, 8);
  const folder = join(ELSEWHERE, `${checkout}-${randomBytes(3).toString('hex')}`);
  symlinkSync(folder, dataDir);
  log(`PostgreSQL runs as "nobody", who can't enter ${dirname(dataDir)}: the data are in ${folder}`);
  return folder;
}

/** Copied under another name first, so that an interrupted copy is never taken for data. */
export async function copyTemplate(template: string, dataDir: string): Promise<void> {
  const draft = `${dataDir}.unfinished`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(dataDir), { recursive: true });
  await runTool('cp', ['-a', template, draft]);
  renameSync(draft, dataDir);
}

/**
 * A killed server leaves `postmaster.pid`. PostgreSQL copes, except where its number belongs to some other process
 * by now (usual in containers, where numbers are low): it takes that for itself and refuses to start.
 */
export function dropForeignPidFile(dataDir: string): void {
  const file = join(dataDir, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number.parseInt(readFileSync(file, 'utf8'), 10);
  const commandLine = join('/proc', String(pid), 'cmdline');
  if (existsSync(commandLine) && !readFileSync(commandLine, 'utf8').includes(dataDir)) rmSync(file);
}
