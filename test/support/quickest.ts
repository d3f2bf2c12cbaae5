const MOST_TRIES = 5;

/**
 * The shortest of several durations in milliseconds: measures until one is below `limitMs`, five times at most. A machine
 * that is busy with something else delays one of them; a service that is too slow delays them all.
 */
export async function quickest(limitMs: number, measure: () => Promise<number>): Promise<number> {
  let shortest = Infinity;
  for (let tries = 0; tries < MOST_TRIES && shortest >= limitMs; tries++)
    shortest = Math.min(shortest, await measure());
  return shortest;
}

/** The middle one of some numbers, of the two middle ones the higher. */
export function median(numbers: number[]): number {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)]!;
}
