import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { identify, isAlive, type ProcessIdentity } from './process-identity.js';

const RETRY_MS = 150;

/** A lock file held by this process. */
export interface Lock {
  release(): void;
}

function readOwner(file: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as ProcessIdentity;
  } catch {
    return undefined;
  }
}

/** Sets a dead owner's lock aside; if another process was quicker and it is already a new one, puts it back. */
function removeStale(file: string): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
    const owner = readOwner(aside);
    if (owner && isAlive(owner)) linkSync(aside, file);
    rmSync(aside);
  } catch {
    // Gone already: another process tidied it up.
  }
}

const held = new Set<string>();

/** Let go of even where the process is ended in the middle of the work. */
function holdUntilExit(file: string): Lock {
  if (held.size === 0) process.once('exit', removeAll);
  held.add(file);
  return {
    release() {
      rmSync(file, { force: true });
      held.delete(file);
      if (held.size === 0) process.off('exit', removeAll);
    },
  };
}

function removeAll(): void {
  for (const file of held) rmSync(file, { force: true });
}

/**
 * Takes the lock if it is free or its owner is dead.
 *
 * @returns the lock, or the living process that holds it
 */
export function tryLock(file: string): Lock | ProcessIdentity {
  mkdirSync(dirname(file), { recursive: true });
  // Written first and linked into place, so that nobody ever reads half a lock file.
  const draft = `${file}.${randomUUID()}`;
  writeFileSync(draft, JSON.stringify(identify()));
  try {
    for (;;) {
      try {
        linkSync(draft, file);
        return holdUntilExit(file);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
      const owner = readOwner(file);
      if (owner && isAlive(owner)) return owner;
      removeStale(file);
    }
  } finally {
    rmSync(draft, { force: true });
  }
}

const queues = new Map<string, Promise<unknown>>();

/** One after the other within this process, so that only other processes are met at the lock file. */
function inTurn<T>(file: string, work: () => Promise<T>): Promise<T> {
  const turn = (queues.get(file) ?? Promise.resolve()).then(work, work);
  queues.set(file, turn);
  return turn;
}

/**
 * Runs `work` while nobody else holds the lock; waits for who does.
 *
 * @param onWait told once, before waiting, which other process holds it
 */
export function withLock<T>(
  file: string,
  onWait: (owner: ProcessIdentity) => void,
  work: () => Promise<T>,
): Promise<T> {
  return inTurn(file, () => whileLocked(file, onWait, work));
}

async function whileLocked<T>(
  file: string,
  onWait: (owner: ProcessIdentity) => void,
  work: () => Promise<T>,
): Promise<T> {
  let lock = tryLock(file);
  if (!('release' in lock)) onWait(lock);
  while (!('release' in lock)) {
    await delay(RETRY_MS);
    lock = tryLock(file);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
