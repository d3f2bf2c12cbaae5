import { ENVIRONMENT_NAMES } from './environment.js';

/** Programs beside the service read variables with these prefixes, too. */
const SHARED_PREFIXES = ['AWS', 'NODE', 'OTEL', 'VAULT'];
/** What Kubernetes sets for each service of the namespace, such as one that is called redis. */
const OF_KUBERNETES = /_SERVICE_(HOST|PORT)|_PORT(_\d+_(TCP|UDP)|$)/;
/** A name with more wrong characters than this share isn't taken for a misspelt one. */
const MAX_WRONG_SHARE = 0.3;

const prefixOf = (name: string) => name.split('_', 1)[0] as string;
const OWN_PREFIXES = ENVIRONMENT_NAMES.map(prefixOf).filter(
  (prefix, index, all) => all.indexOf(prefix) !== index && !SHARED_PREFIXES.includes(prefix),
);

/** Variables that have the prefix of several of ours, but that nothing reads: misspelt, or of another release. */
export function unknownVariables(source: NodeJS.ProcessEnv): string[] {
  return Object.keys(source).filter(
    (name) =>
      OWN_PREFIXES.includes(prefixOf(name)) &&
      !ENVIRONMENT_NAMES.includes(name.replace(/_FILE$/, '')) &&
      !OF_KUBERNETES.test(name),
  );
}

/** The variable of ours that is spelt most like `name`, if any is spelt like it. */
export function nearestVariable(name: string): string | undefined {
  const [nearest] = ENVIRONMENT_NAMES.map((known) => ({ known, distance: editDistance(name, known) })).sort(
    (a, b) => a.distance - b.distance,
  );
  return nearest && nearest.distance <= name.length * MAX_WRONG_SHARE ? nearest.known : undefined;
}

/** Logs a warning for each of them. */
export function warnOfUnknownVariables(logger: { warn(message: string): void }): void {
  for (const name of unknownVariables(process.env)) {
    const nearest = nearestVariable(name);
    logger.warn(`${name} is set, but nothing reads it${nearest ? `: did you mean ${nearest}?` : '.'}`);
  }
}

/** How many characters have to be inserted, removed or replaced to make one text of the other (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const replaced = row[column - 1]! + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(replaced, row[column]! + 1, next[column - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
