import { codeOfSqlState, unpackSqlState } from './sql-states.js';

describe('SQLSTATEs', () => {
  it.each([
    [319029277, 'M001C'],
    [587202589, 'M000S'],
    [50331677, 'M0003'],
    [525074461, 'M00CO'],
  ])('unpacks %s', (packed, state) => expect(unpackSqlState(packed)).toBe(state));

  it.each([
    ['M001C', 11000],
    ['23505', 11000],
    ['23P01', 11000],
    ['40001', 112],
    ['40P01', 112],
    ['M000R', 85],
    ['M00CO', 121],
  ])('gives the code of %s', (state, code) => expect(codeOfSqlState(state)).toBe(code));

  it('knows no code for a state that has none in MongoDB', () => expect(codeOfSqlState('22012')).toBeUndefined());
});
