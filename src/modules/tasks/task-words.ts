/** Scripts that put no spaces between words, by `Script_Extensions`, which includes the marks that they share. */
const UNSPACED = [
  'Han',
  'Hira',
  'Kana',
  'Bopo',
  'Yiii',
  'Thai',
  'Laoo',
  'Khmr',
  'Mymr',
  'Tale',
  'Talu',
  'Lana',
  'Tavt',
  'Java',
  'Bali',
]
  .map((script) => String.raw`\p{scx=${script}}`)
  .join('');
/** Neighbouring characters of such scripts; digits stand by themselves. */
const UNSPACED_RUN = String.raw`(?:(?=[\p{L}\p{M}\p{Nl}\p{No}])[${UNSPACED}])+`;
const SPACED_RUN = String.raw`(?:\p{Nd}|(?![${UNSPACED}])[\p{L}\p{N}\p{M}])+`;
const RUN = new RegExp(`(${UNSPACED_RUN})|${SPACED_RUN}`, 'gu');
const PREVIOUS_RUN = /[\p{L}\p{N}\p{M}]+/gu;
const PREVIOUS_UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
const LETTER_OR_NUMBER = /[\p{L}\p{N}]/u;
/** Soft hyphens, zero-width characters, variation selectors: they belong to no word and separate none. */
const IGNORED = /[\p{Default_Ignorable_Code_Point}\p{Cf}]/gu;
const ACCENT = /[\u0300-\u036f]/g;
/**
 * Marks that texts are also written without: accents, and the vowel points of Hebrew, Arabic and Syriac. In other scripts a mark
 * is a letter of its own, as are the voiced sound marks of Japanese.
 */
const OPTIONAL_MARK =
  /(?![\u3099\u309a])(?=\p{M})[\p{Script=Inherited}\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}]|\u0640/gu;
/** Letters that Unicode doesn't decompose, with what people write where their keyboard lacks them. */
const LETTERS: Record<string, string> = {
  ...{ ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th', ð: 'd', đ: 'd', ø: 'o', ł: 'l', ħ: 'h', ŧ: 't', ŋ: 'n', ı: 'i', ȷ: 'j' },
  ...{ ƀ: 'b', ȼ: 'c', ɇ: 'e', ǥ: 'g', ɨ: 'i', ɉ: 'j', ƚ: 'l', ɍ: 'r', ʉ: 'u', ɏ: 'y', ƶ: 'z', ⱥ: 'a', ⱦ: 't', ς: 'σ' },
};
const LETTER = new RegExp(`[${Object.keys(LETTERS).join('')}]`, 'g');
/** An engine may take no longer terms into its index. */
const MAX_WORD_LENGTH = 100;
/** Of one field: more than 10,000 characters of any language have, but some characters stand for whole phrases (U+FDFA). */
const MAX_STORED_WORDS = 30_000;
const MAX_STORED_LENGTH = 100_000;

/**
 * The words of a text the way they are stored for searching: in lower case, without accents and vowel points, and without
 * whatever a search engine might take for an operator. Where a script has no spaces, each character is a word, and each pair
 * of neighbours. At most 30,000 different words, and 100,000 characters with a space behind each word: what follows isn't found.
 *
 * Searched text goes through `wordsToFind`, so that every engine finds the same, with its own rules of case and accents.
 */
export function wordsToStore(text: string): string[] {
  return bounded(wordsOf(text, (characters) => [...pairsOf(characters), ...characters.filter(isWord)]));
}

/** The words to search for: as they are stored, but of a script without spaces the pairs alone where there are any. */
export function wordsToFind(text: string): string[] {
  return wordsOf(text, (characters) => (characters.length > 1 ? pairsOf(characters) : characters));
}

/** The first of the words, up to the bounds. */
function bounded(words: string[]): string[] {
  const known = new Set<string>();
  let length = 0;
  const end = words.findIndex((word) => {
    length += word.length + 1;
    known.add(word);
    return known.size > MAX_STORED_WORDS || length > MAX_STORED_LENGTH;
  });
  return end < 0 ? words : words.slice(0, end);
}

function wordsOf(text: string, unspacedWords: (characters: string[]) => string[]): string[] {
  const words = [...folded(text).matchAll(RUN)].flatMap(([run, unspaced]) =>
    unspaced === undefined ? [cut(run)] : unspacedWords([...unspaced]),
  );
  const known = new Set(words);
  return [...words.filter(isWord), ...previousWordsOf(text).filter((word) => isWord(word) && !known.has(word))];
}

/** Lower case, without what makes no other word. */
function folded(text: string): string {
  return text
    .normalize('NFKD')
    .replace(IGNORED, '')
    .toLowerCase()
    .replace(OPTIONAL_MARK, '')
    .replace(LETTER, (letter) => LETTERS[letter] ?? letter)
    .normalize('NFKC');
}

/**
 * The words as the previous release stores and looks for them, exactly: where digits stand beside a script without spaces,
 * with soft hyphens, and with a few of those scripts alone. While its instances may serve, both forms are stored and looked
 * for. The release after this one needs them no more.
 */
function previousWordsOf(text: string): string[] {
  const plain = text.toLowerCase().normalize('NFKD').replace(ACCENT, '').normalize('NFKC');
  return (plain.match(PREVIOUS_RUN) ?? []).flatMap((run) => {
    const characters = [...run];
    return PREVIOUS_UNSPACED.test(run) && characters.length > 1 ? pairsOf(characters) : [cut(run)];
  });
}

function pairsOf(characters: string[]): string[] {
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}

function cut(word: string): string {
  return [...word].slice(0, MAX_WORD_LENGTH).join('');
}

function isWord(text: string): boolean {
  return LETTER_OR_NUMBER.test(text);
}
