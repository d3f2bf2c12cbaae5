import { readFileSync, rmSync } from 'node:fs';
import { writePrivateFile } from './atomic-file.js';
import { identify, isAlive, type ProcessIdentity } from './process-identity.js';

/** What a running stack tells later commands. */
export interface StackState {
  launcher: ProcessIdentity;
  /** Where the service answers. */
  url: string;
  /** The service's environment, as far as it is configuration. */
  env: Record<string, string>;
}

/** Says that this process runs the stack. */
export function writeState(file: string, state: Omit<StackState, 'launcher'>): void {
  writePrivateFile(file, JSON.stringify({ launcher: identify(), ...state } satisfies StackState, null, 2));
}

/** The stack that runs now; undefined when none does, whatever a killed one left behind. */
export function readState(file: string): StackState | undefined {
  try {
    const state = JSON.parse(readFileSync(file, 'utf8')) as StackState;
    return isAlive(state.launcher) ? state : undefined;
  } catch {
    return undefined;
  }
}

/** Says that it runs no more. */
export function removeState(file: string): void {
  rmSync(file, { force: true });
}
