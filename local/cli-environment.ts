import { join } from 'node:path';
import { LOCAL_DIR } from './paths.js';
import { readState } from './state.js';

/** This process's environment with the running stack's configuration in it; undefined when no stack runs. */
export function runningStackEnvironment(): NodeJS.ProcessEnv | undefined {
  const state = readState(join(LOCAL_DIR, 'state.json'));
  return state && { ...process.env, ...state.env };
}
