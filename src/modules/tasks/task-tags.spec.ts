import { tagKeysOf, tagKeysPattern } from './task-tags.js';

const TAGS = ['work', 'März', 'a b', 'a\u0000b', '.*', '(', ' ', '日本語', 'x'.repeat(40)];

describe('the keys of tags', () => {
  it.each(TAGS)('tell that %j is among them', (tag) => {
    expect(tagKeysOf(TAGS)).toMatch(tagKeysPattern([tag]));
    expect(tagKeysOf([tag])).toMatch(tagKeysPattern(['other', tag]));
    expect(tagKeysOf(TAGS.filter((other) => other !== tag))).not.toMatch(tagKeysPattern([tag]));
  });

  it('tell that nothing is among none', () => {
    expect(tagKeysOf([])).not.toMatch(tagKeysPattern(TAGS));
  });

  it('stay small enough for an index', () => {
    expect(tagKeysOf(Array.from({ length: 20 }, (_, index) => `${index}`.padStart(40, '日'))).length).toBeLessThan(150);
  });
});
