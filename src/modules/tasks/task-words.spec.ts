import { wordsOf } from './task-words.js';

describe('the words of a text', () => {
  it.each([
    ['Write the Report', ['write', 'the', 'report']],
    ['CAFÉ Café cafe\u0301', ['cafe', 'cafe', 'cafe']],
    ['Größe ÅNGSTRÖM Ёлка İstanbul', ['große', 'angstrom', 'елка', 'istanbul']],
    ['ﬁle ４２', ['file', '42']],
    ['-not "a phrase" a|b & !c:*', ['not', 'a', 'phrase', 'a', 'b', 'c']],
    ["it's foo_bar v2.5 a@example.org", ['it', 's', 'foo', 'bar', 'v2', '5', 'a', 'example', 'org']],
    ['null\u0000byte', ['null', 'byte']],
    ['日本語 文', ['日本', '本語', '文']],
    ['हिन्दी', ['हिन्दी']],
    ['... -- "" \u0000 🎉', []],
    ['', []],
  ])('of %j are %j', (text, words) => {
    expect(wordsOf(text)).toEqual(words);
  });

  it('are cut where no index would take them whole', () => {
    expect(wordsOf('x'.repeat(10_000))).toEqual(['x'.repeat(100)]);
  });
});
