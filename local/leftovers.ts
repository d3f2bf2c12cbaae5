import { readFileSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { writePrivateFile } from './atomic-file.js';
import { killTree, type SpawnedProcess } from './process.js';
import { isAlive } from './process-identity.js';
import { processTree, signalProcesses } from './process-tree.js';

const POLL_MS = 25;
const PATIENCE_MS = 15_000;

/** Keeps a file of which servers were started on a data folder, for the start after a crash. */
export interface ServerRecord {
  add(child: SpawnedProcess): void;
  /** After an orderly stop there is nothing left over. */
  clear(): void;
}

function readRecord(file: string): SpawnedProcess[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as SpawnedProcess[];
  } catch {
    return [];
  }
}

async function isGoneWithin(child: SpawnedProcess, bound: number): Promise<boolean> {
  for (const end = Date.now() + bound; Date.now() < end; await delay(POLL_MS)) {
    if (!isAlive(child)) return true;
  }
  return !isAlive(child);
}

/**
 * Ends the servers of an earlier run that are still there (its launcher was killed, they weren't): in good order,
 * the youngest first, and by force where that takes too long.
 *
 * @returns their names
 */
export async function endLeftovers(file: string): Promise<string[]> {
  const ended: string[] = [];
  for (const child of readRecord(file).reverse()) {
    if (!isAlive(child)) continue;
    signalProcesses([child.pid], child.stopSignal);
    signalProcesses(processTree(child.pid), 'SIGCONT');
    if (!(await isGoneWithin(child, PATIENCE_MS))) killTree(child.pid);
    ended.push(child.name);
  }
  rmSync(file, { force: true });
  return ended;
}

/** Starts an empty record. */
export function openRecord(file: string): ServerRecord {
  const children: SpawnedProcess[] = [];
  return {
    add(child) {
      children.push(child);
      writePrivateFile(file, JSON.stringify(children, null, 2));
    },
    clear: () => rmSync(file, { force: true }),
  };
}
