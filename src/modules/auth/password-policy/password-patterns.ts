import { PASSWORD_MIN_LENGTH } from '../is-allowed-password.js';

/** A password must have as many characters that don't follow from those before them. */
const MIN_UNPREDICTABLE = 6;
const MIN_DISTINCT = 5;
const MIN_RUN = 3;
const MIN_WORD = 3;
/** As many digits and signs around a common password don't make another one of it. */
const MAX_AFFIXES = 6;
const MIN_BASE = 4;

/** Alphabet, digits, and rows and columns of keyboards (QWERTY, QWERTZ, AZERTY). */
const SEQUENCES = [
  'abcdefghijklmnopqrstuvwxyz',
  '0123456789',
  '1234567890',
  'qwertyuiop',
  'qwertzuiop',
  'azertyuiop',
  'asdfghjkl',
  'qsdfghjklm',
  'zxcvbnm',
  'yxcvbnm',
  '1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p',
].flatMap((sequence) => [sequence, [...sequence].reverse().join('')]);

/** Signs and digits that are written in place of letters. */
const SUBSTITUTES: Record<string, string> = {
  '@': 'a',
  '4': 'a',
  '8': 'b',
  '3': 'e',
  '1': 'l',
  '!': 'i',
  '0': 'o',
  $: 's',
  '5': 's',
  '7': 't',
};

/** Whether a password is little else than repetitions (`abcabcabcabc`) and sequences (`abcdefghijk`, `qwerty123456`). */
export function isPattern(password: string): boolean {
  const text = normalise(password);
  return isRepetition(text) || new Set(text).size < MIN_DISTINCT || unpredictableLength(text) < MIN_UNPREDICTABLE;
}

/** Whether little is left of a password without the words of its context. @param words see `wordsOf` */
export function isDerivedFrom(password: string, words: readonly string[]): boolean {
  const longestFirst = [...words].sort((a, b) => b.length - a.length);
  const lower = normalise(password);
  return [lower, withLetters(lower)].some((text) => {
    const rest = longestFirst.reduce((left, word) => left.replaceAll(word, ''), text);
    return rest !== text && unpredictableLength(rest) < MIN_UNPREDICTABLE;
  });
}

/** What a password may be a variation of: in lower case, with letters for the signs in their place, without affixes. */
export function baseForms(password: string): string[] {
  const lower = password.toLowerCase();
  const base = lower.replace(/^[^\p{L}]+/u, '').replace(/[^\p{L}]+$/u, '');
  const hasAffixes = base.length >= MIN_BASE && lower.length - base.length <= MAX_AFFIXES;
  return [...new Set([lower, withLetters(lower), ...(hasAffixes ? [base, withLetters(base)] : [])])];
}

/** The words in texts of a context (a name, an address), each by itself, all of a text together, and the text itself. */
export function wordsOf(...texts: string[]): string[] {
  const words = texts.flatMap((text) => {
    const whole = normalise(text);
    const parts = whole.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
    return [whole, ...parts, parts.join(''), parts.join('-')];
  });
  return [...new Set(words.filter((word) => word.length >= MIN_WORD && /\p{L}/u.test(word)))];
}

/** Lower case, without accents. */
function normalise(text: string): string {
  return text.normalize('NFKD').replace(/\p{M}/gu, '').toLowerCase();
}

function withLetters(text: string): string {
  return text.replace(/[@48!3105$7]/g, (sign) => SUBSTITUTES[sign] ?? sign);
}

/** Whether a shorter text than a password may be, repeated, gives this one (the last time perhaps in part). */
function isRepetition(text: string): boolean {
  for (let period = 1; period < PASSWORD_MIN_LENGTH && period * 2 <= text.length; period++) {
    if (text.startsWith(text.slice(period))) return true;
  }
  return false;
}

/** The length if each run of a sequence, and each repeated character, counted as one. */
function unpredictableLength(text: string): number {
  const characters = [...text].filter((character, index, all) => character !== all[index - 1]);
  let length = 0;
  for (let index = 0; index < characters.length; length++) {
    const run = Math.max(...SEQUENCES.map((sequence) => runAt(characters, index, sequence)));
    index += run >= MIN_RUN ? run : 1;
  }
  return length;
}

function runAt(characters: readonly string[], start: number, sequence: string): number {
  const from = sequence.indexOf(characters[start] as string);
  let run = 0;
  while (from >= 0 && characters[start + run] !== undefined && characters[start + run] === sequence[from + run]) run++;
  return run;
}
