import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { nobodyCanEnter } from './unprivileged.js';

/** Cache of last resort for root: a place that an unprivileged server process can reach whatever root's home allows. */
const ROOT_CACHE = '/var/cache/scalable-api';

function findProjectRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** The checkout's folder, wherever the command was started from. */
export const PROJECT_ROOT = findProjectRoot();

/** Where the stack keeps data, secrets, mail and logs unless told otherwise. */
export const LOCAL_DIR = join(PROJECT_ROOT, '.local');

/**
 * The folder downloads are kept in: `LOCAL_CACHE_DIR`, else the user's cache folder. PostgreSQL refuses to run as
 * root and runs as `nobody` then, so root's own cache is passed over when `nobody` can't enter it.
 */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  if (env['LOCAL_CACHE_DIR']) return resolve(env['LOCAL_CACHE_DIR']);
  const own = join(env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'scalable-api');
  return nobodyCanEnter(own) ? own : ROOT_CACHE;
}
