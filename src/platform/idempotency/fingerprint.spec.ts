import { digest, fingerprintOf } from './fingerprint.js';

describe('the fingerprint of a body', () => {
  it.each<[string, unknown, unknown]>([
    ['the order of members', { a: 1, b: { c: [1], d: null } }, { b: { d: null, c: [1] }, a: 1 }],
    ['whether nothing was sent or nothing was read', undefined, undefined],
  ])("doesn't depend on %s", (_, one, other) => {
    expect(fingerprintOf(one)).toBe(fingerprintOf(other));
  });

  it.each<[string, unknown, unknown]>([
    ['a value', { a: 1 }, { a: 2 }],
    ['the kind of a value', { a: 1 }, { a: '1' }],
    ['null and nothing', { a: null }, {}],
    ['no body and an empty one', undefined, {}],
    ['the order of elements', [1, 2], [2, 1]],
    [
      'an object and its members as a list',
      { a: 1, b: 2 },
      [
        ['a', 1],
        ['b', 2],
      ],
    ],
    ['an empty object and an empty list', {}, []],
  ])('tells %s apart', (_, one, other) => {
    expect(fingerprintOf(one)).not.toBe(fingerprintOf(other));
  });
});

it('a digest tells parts apart, wherever one ends', () => {
  expect(digest('ab', 'c')).not.toBe(digest('a', 'bc'));
});
