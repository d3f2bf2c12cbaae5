import { ValidationFailedError } from '../errors/problem.js';
import { assertPlainInput } from './plain-input.js';

function fieldsRefused(input: unknown): string[] {
  try {
    assertPlainInput(input, 'body');
    return [];
  } catch (error) {
    if (!(error instanceof ValidationFailedError)) throw error;
    return (error.members['errors'] as { field: string }[]).map(({ field }) => field);
  }
}

const NESTED: unknown = JSON.parse('['.repeat(14) + ']'.repeat(14));

describe('assertPlainInput', () => {
  it.each([{}, { a: 1, b: [{ c: null }], d: { e: 'Schön 🎉 \u0000' } }, { deep: NESTED }])(
    'lets %j through',
    (input) => {
      expect(fieldsRefused(input)).toEqual([]);
    },
  );

  it('takes what a query parser gives, which has no prototype', () => {
    expect(fieldsRefused(Object.assign(Object.create(null) as object, { a: '1' }))).toEqual([]);
  });

  it.each([[null], [undefined], [[]], ['text'], [1]])('refuses %j as a whole', (input) => {
    expect(fieldsRefused(input)).toEqual(['body']);
  });

  it.each(['constructor', 'prototype', 'toString', '__proto__'])('refuses the field %s, at any depth', (name) => {
    const own = JSON.parse(`{"${name}": 1}`) as object;
    expect(fieldsRefused(own)).toEqual([name]);
    expect(fieldsRefused({ inner: { more: own } })).toEqual([`inner.more.${name}`]);
  });

  it('refuses half a surrogate pair, naming the field', () => {
    expect(fieldsRefused({ fine: '🎉', title: 'a\ud83c', tags: ['b', '\udf89'] })).toEqual(['title', 'tags']);
  });
});
