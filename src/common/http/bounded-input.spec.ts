import { ValidationFailedError } from '../errors/problem.js';
import { assertBounded } from './bounded-input.js';

const nested = (levels: number): unknown => JSON.parse('['.repeat(levels) + ']'.repeat(levels));

describe('assertBounded', () => {
  it('lets the largest proper request pass', () => {
    const task = { title: 'a', tags: Array<string>(20).fill('tag'), dueDate: null };
    const operations = Array.from({ length: 100 }, () => ({ op: 'create', task }));
    expect(() => assertBounded({ operations })).not.toThrow();
  });

  it.each([undefined, null, 'text', 1, true, {}, []])('has nothing against %j', (input) => {
    expect(() => assertBounded(input)).not.toThrow();
  });

  it('refuses too many fields, however they are spread', () => {
    const wide = Object.fromEntries(Array.from({ length: 5001 }, (_, index) => [`field${index}`, 1]));
    expect(() => assertBounded(wide)).toThrow(ValidationFailedError);
    expect(() => assertBounded(Array.from({ length: 100 }, () => Array<number>(100).fill(0)))).toThrow(
      ValidationFailedError,
    );
  });

  it('refuses too many levels, without running out of stack', () => {
    expect(() => assertBounded(nested(20))).not.toThrow();
    expect(() => assertBounded(nested(22))).toThrow(ValidationFailedError);
    expect(() => assertBounded(nested(250_000))).toThrow(ValidationFailedError);
  });
});
