import { setTimeout as delay } from 'node:timers/promises';

const DEFAULT_PATIENCE_MS = 30_000;
const MIN_PAUSE_MS = 20;

type Falsy = false | null | undefined | 0 | '';

/**
 * Polls until `condition` gives something truthy, and gives that. Pauses as long as the condition takes, so that asking for
 * what is to come doesn't take the processor from what brings it. The last attempt begins after the deadline: on a slow
 * machine the one before may have begun long before it.
 *
 * @param what the end of the sentence "waited 30000 ms for …"
 * @throws Error after the deadline, with the last error of the condition as its cause
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  patienceMs = DEFAULT_PATIENCE_MS,
): Promise<Exclude<T, Falsy>> {
  const deadline = Date.now() + patienceMs;
  let cause: unknown;
  let asked: number;
  do {
    asked = Date.now();
    try {
      const outcome = await condition();
      if (outcome) return outcome as Exclude<T, Falsy>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(Math.max(MIN_PAUSE_MS, Date.now() - asked));
  } while (asked < deadline);
  throw new Error(`waited ${patienceMs} ms for ${what}`, { cause });
}
