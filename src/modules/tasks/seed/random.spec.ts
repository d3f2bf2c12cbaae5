import { randomOf } from './random.js';

const many = Array.from({ length: 20_000 }, (_, seed) => randomOf(seed));

describe('seeded numbers', () => {
  it('are the same for the same seed, and others for another', () => {
    const first = () => randomOf(7).number();
    expect(first()).toBe(first());
    expect(new Set(many.map((random) => random.number())).size).toBeGreaterThan(19_900);
  });

  it('keep the shares they are given', () => {
    const values = many.map((random) =>
      random.oneOf([
        ['a', 90],
        ['b', 10],
      ] as const),
    );
    expect(values.filter((value) => value === 'b').length / values.length).toBeCloseTo(0.1, 1);
  });

  it('take the first of a list most often, and the last at times', () => {
    const items = Array.from({ length: 100 }, (_, index) => index);
    const counts = new Map<number, number>();
    for (const random of many) {
      const item = random.common(items);
      counts.set(item, (counts.get(item) ?? 0) + 1);
    }
    expect(counts.has(undefined as unknown as number)).toBe(false);
    expect(counts.get(0)).toBeGreaterThan(10 * (counts.get(50) ?? 0));
    expect(counts.size).toBeGreaterThan(95);
  });
});
