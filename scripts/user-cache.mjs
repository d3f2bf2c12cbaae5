import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/** The user's folder for what can be made again, as in local/paths.ts. */
export function userCache() {
  const { LOCAL_CACHE_DIR, XDG_CACHE_HOME } = process.env;
  return LOCAL_CACHE_DIR ? resolve(LOCAL_CACHE_DIR) : join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'scalable-api');
}
