const WORD = /[\p{L}\p{N}\p{M}]+/gu;
/** Scripts that put no spaces between words. */
const UNSPACED =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;
/** An engine may take no longer terms into its index. */
const MAX_WORD_LENGTH = 100;

/**
 * The words of a text the way they are searched: in lower case, without accents, and without whatever a search engine
 * might take for an operator. Where a script has no spaces, each pair of neighbouring characters is a word.
 *
 * Stored and searched text both go through here, so that every engine, whatever it does about case and accents, finds
 * the same.
 */
export function wordsOf(text: string): string[] {
  const plain = text
    .toLowerCase()
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .normalize('NFKC');
  return (plain.match(WORD) ?? []).flatMap((word) =>
    UNSPACED.test(word) ? pairsOf(word) : [[...word].slice(0, MAX_WORD_LENGTH).join('')],
  );
}

function pairsOf(word: string): string[] {
  const characters = [...word];
  if (characters.length === 1) return characters;
  return characters.slice(1).map((character, index) => `${characters[index]}${character}`);
}
