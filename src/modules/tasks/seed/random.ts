/** Numbers that look random, and are the same each time. */
export interface Random {
  /** From 0 to below 1. */
  number(): number;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  /** One of several values, by their shares of a hundred. */
  oneOf<T>(shares: readonly (readonly [T, number])[]): T;
  /** One of a list that is sorted by how common its items are (roughly Zipf's law). */
  common<T>(items: readonly T[]): T;
}

/** @param seed another one gives other numbers (mulberry32) */
export function randomOf(seed: number): Random {
  let state = Math.imul(seed + 1, 0x9e3779b1);
  const number = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    number,
    below: (limit) => Math.floor(number() * limit),
    oneOf<T>(shares: readonly (readonly [T, number])[]): T {
      let left = number() * 100;
      for (const [value, share] of shares) if ((left -= share) < 0) return value;
      throw new RangeError('The shares make less than a hundred.');
    },
    common<T>(items: readonly T[]): T {
      return items[Math.floor((items.length + 1) ** number()) - 1] as T;
    },
  };
}
