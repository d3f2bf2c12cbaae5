/** Words and identifiers of a module, made from its name, and what is wrong with a name. */

const KEBAB_CASE = /^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/;
/** The names of deployments (`scalable-api-NAME-indexes`) and of keys stay below 63 characters. */
const MAX_LENGTH = 30;
/** Paths that are no module's, variables of the templates, and what folders of the deployment are called. */
const RESERVED = ['api', 'docs', 'events', 'health', 'indexes', 'live', 'metrics', 'module', 'static'];

/**
 * The singular of an English plural; undefined where it doesn't follow from the last letters: movies and categories end alike,
 * a movie and a category don't.
 *
 * @param plural in kebab-case; the last word is the one in the plural
 */
export function singularOf(plural) {
  if (/ies$/.test(plural)) return undefined;
  if (/(ss|x|sh|[nt]ch)es$/.test(plural)) return plural.replace(/es$/, '');
  return /([^sui]|[^u]se)s$/.test(plural) && !/(us|is|ch)es$/.test(plural) ? plural.replace(/s$/, '') : undefined;
}

/** @returns a sentence; undefined for a name in kebab-case that can be used */
export function faultOfName(name) {
  if (!KEBAB_CASE.test(name))
    return `"${name}" must be in kebab-case: small letters, digits, and single hyphens between words.`;
  if (name.length > MAX_LENGTH) return `"${name}" must have at most ${MAX_LENGTH} characters.`;
  if (RESERVED.includes(name)) return `"${name}" is reserved.`;
  return undefined;
}

/**
 * What the templates' placeholders stand for: `__plural__` for `plural`, and so on.
 *
 * @param plural e.g. `time-entries` @param singular e.g. `time-entry`
 */
export function placeholdersOf(plural, singular) {
  const words = (name) => name.replaceAll('-', ' ');
  const capital = (text) => text[0].toUpperCase() + text.slice(1);
  const pascal = (name) => name.split('-').map(capital).join('');
  const article = /^[aeiou]/.test(singular) ? 'an' : 'a';
  return {
    plural, // time-entries: files, paths, types of events, scopes
    singular, // time-entry
    Plural: pascal(plural), // TimeEntries: classes
    Singular: pascal(singular), // TimeEntry
    pluralName: pascal(plural).replace(/^./, (first) => first.toLowerCase()), // timeEntries: variables, properties
    PLURAL: plural.replaceAll('-', '_').toUpperCase(), // TIME_ENTRIES: constants
    collection: plural.replaceAll('-', ''), // timeentries
    'plural words': words(plural), // time entries: sentences
    'singular words': words(singular), // time entry
    'Plural words': capital(words(plural)), // Time entries
    aSingular: `${article} ${words(singular)}`, // a time entry
    ASingular: `${capital(article)} ${words(singular)}`, // A time entry
  };
}
