/** Personal data and secrets that messages of libraries may carry (a duplicate key names the address, say). */
const SENSITIVE: [RegExp, string][] = [
  [/[\w.%+-]+@[\w-]+(\.[\w-]+)+/g, '[email]'],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, '[token]'],
  [/(:\/\/)[^/@\s]+@/g, '$1[credentials]@'],
];
/** A quoted text may be a user's, and a long number a telephone number. */
const VALUES: [RegExp, string][] = [
  [/(["'`])(?:\\.|(?!\1)[^\\])*\1/g, '[value]'],
  [/\+?\d[\d ()/-]{4,}\d/g, '[number]'],
];

/** The text without what is recognised as an address, a token or credentials. */
export function scrub(text: string): string {
  return replaceAll(text, SENSITIVE);
}

/** The text without any value either: for those who aren't ourselves. */
export function withoutValues(text: string): string {
  return replaceAll(scrub(text), VALUES);
}

function replaceAll(text: string, patterns: [RegExp, string][]): string {
  return patterns.reduce((scrubbed, [pattern, replacement]) => scrubbed.replace(pattern, replacement), text);
}
