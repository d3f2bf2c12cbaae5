import fc from 'fast-check';
import { wordsToFind, wordsToStore } from './task-words.js';

describe('the words of a text', () => {
  it.each<[text: string, words: string[], ofPreviousRelease?: string[]]>([
    ['Write the Report', ['write', 'the', 'report']],
    ['CAFÉ Café cafe\u0301', ['cafe', 'cafe', 'cafe']],
    [
      'Größe GRÖẞE groesse ÅNGSTRÖM Ёлка İstanbul',
      ['grosse', 'grosse', 'groesse', 'angstrom', 'елка', 'istanbul'],
      ['große', 'große'],
    ],
    ['Łódź Ørsted ılık ILIK', ['lodz', 'orsted', 'ilik', 'ilik'], ['łodz', 'ørsted', 'ılık']],
    ['ﬁle ４２ 𝐁𝐨𝐥𝐝', ['file', '42', 'bold'], ['Bold']],
    ['-not "a phrase" a|b & !c:*', ['not', 'a', 'phrase', 'a', 'b', 'c']],
    ["it's foo_bar v2.5 a@example.org", ['it', 's', 'foo', 'bar', 'v2', '5', 'a', 'example', 'org']],
    ['null\u0000byte', ['null', 'byte']],
    [
      'Zei\u00adtung zero\u200bwidth join\u200der no\ufeffbreak',
      ['zeitung', 'zerowidth', 'joiner', 'nobreak'],
      ['zei', 'tung', 'zero', 'width', 'join', 'er', 'no', 'break'],
    ],
    ['❤️ ☀️ 1️⃣ 👩‍🚀', ['1'], ['1\ufe0f\u20e3']],
    ['हिन्दी தமிழ்', ['हिन्दी', 'தமிழ்']],
    ['שָׁלוֹם שלום', ['שלום', 'שלום'], ['שָׁלוֹם'.normalize('NFKC')]],
    ['ΟΔΟΣ οδός', ['οδοσ', 'οδοσ'], ['οδος', 'οδος']],
    ['한국어', ['한국어']],
    ['... -- "" \u0000 🎉', []],
    ['', []],
  ])('%j are %j', (text, words, ofPreviousRelease = []) => {
    expect(wordsToStore(text)).toEqual([...words, ...ofPreviousRelease]);
    expect(wordsToFind(text)).toEqual([...words, ...ofPreviousRelease]);
  });

  it.each([
    ['日本語 文', ['日本', '本語', '日', '本', '語', '文'], ['日本', '本語', '文']],
    [
      'iPhone15を買う',
      ['iphone15', 'を買', '買う', 'を', '買', 'う', 'ip', 'ph', 'ho', 'on', 'ne', 'e1', '15', '5を'],
      ['iphone15', 'を買', '買う', 'ip', 'ph', 'ho', 'on', 'ne', 'e1', '15', '5を'],
    ],
    ['第3回', ['第', '3', '回', '第3', '3回'], ['第', '3', '回', '第3', '3回']],
    ['か゚ガ', ['か゚', '゚ガ', 'か', 'ガ'], ['か゚', '゚ガ']],
    ['コーヒー', ['コー', 'ーヒ', 'ヒー', 'コ', 'ー', 'ヒ', 'ー'], ['コー', 'ーヒ', 'ヒー']],
    ['葛\u{e0100}城', ['葛城', '葛', '城', '葛\u{e0100}', '\u{e0100}城'], ['葛城', '葛\u{e0100}', '\u{e0100}城']],
    [
      'ไทย2025',
      ['ไท', 'ทย', 'ไ', 'ท', 'ย', '2025', 'ย2', '20', '02', '25'],
      ['ไท', 'ทย', '2025', 'ย2', '20', '02', '25'],
    ],
    ['ꆈꌠꉙ', ['ꆈꌠ', 'ꌠꉙ', 'ꆈ', 'ꌠ', 'ꉙ', 'ꆈꌠꉙ'], ['ꆈꌠ', 'ꌠꉙ', 'ꆈꌠꉙ']],
  ])('of a script without spaces are its characters and their pairs: %j', (text, stored, found) => {
    expect(wordsToStore(text)).toEqual(stored);
    expect(wordsToFind(text)).toEqual(found);
  });

  it.each([
    ['Straße', 'strasse'],
    ['strasse', 'STRASSE'],
    ['Łódź', 'lodz'],
    ['Ørsted', 'orsted'],
    ['Æsir', 'aesir'],
    ['ISPARTA', 'ısparta'],
    ['كِتَابٌ', 'كتاب'],
    ['שָׁלוֹם', 'שלום'],
    ['ܫܠܳܡܳܐ', 'ܫܠܡܐ'],
    ['Zei\u00adtung', 'Zeitung'],
    ['می\u200cروم', 'میروم'],
    ['文', '文\ufe00'],
  ])('%j and %j find each other', (one, other) => {
    for (const [stored, sought] of [
      [one, other],
      [other, one],
    ]) {
      expect(wordsToStore(stored as string)).toEqual(expect.arrayContaining([wordsToFind(sought as string)[0]]));
    }
  });

  it('include those that the previous release stores and looks for', () => {
    expect(wordsToStore('Große Städte')).toEqual(['grosse', 'stadte', 'große']);
    expect(wordsToFind('Große')).toEqual(['grosse', 'große']);
  });

  it('of any text are found in it, and each has a letter or a number', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (text) => {
        const stored = new Set(wordsToStore(text));
        for (const word of wordsToFind(text)) {
          expect(stored).toContain(word);
          expect(word).toMatch(/[\p{L}\p{N}]/u);
        }
      }),
      { seed: 20230703, numRuns: 1000 },
    );
  });

  it('are stored up to a bound that no text of one character a letter reaches', () => {
    const phrases = wordsToStore('\ufdfa'.repeat(10_000)).join(' ');
    expect(phrases.length).toBeGreaterThan(99_900);
    expect(phrases.length).toBeLessThan(100_000);
    const han = Array.from({ length: 10_000 }, (_, index) => String.fromCodePoint(0x4e00 + index)).join('');
    expect(wordsToStore(han)).toHaveLength(19_999);
  });

  it('are cut where no index would take them whole', () => {
    expect(wordsToStore('x'.repeat(10_000))).toEqual(['x'.repeat(100)]);
  });
});
