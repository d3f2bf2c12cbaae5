import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** A process named so that a later one with the same number isn't taken for it. */
export interface ProcessIdentity {
  pid: number;
  /** When it started, in the system's own notation: only good for comparing. */
  startedAt: string;
}

/** The start mark of a running process; undefined when there is none with that number (a zombie counts as none). */
export function startMark(pid: number): string | undefined {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).stdout?.trim() || undefined;
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is the command in parentheses and may hold spaces: count from behind it.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** This very process, or the one with `pid`. */
export function identify(pid: number = process.pid): ProcessIdentity {
  return { pid, startedAt: startMark(pid) ?? 'gone' };
}

/** Whether exactly that process still runs. */
export function isAlive({ pid, startedAt }: ProcessIdentity): boolean {
  return startMark(pid) === startedAt;
}
