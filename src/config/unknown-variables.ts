import { ENVIRONMENT_NAMES } from './environment.js';

/** Programs beside the service read variables with these prefixes, too. */
const SHARED_PREFIXES = ['AWS', 'NODE', 'OTEL', 'VAULT'];
/** What Kubernetes sets for each service of the namespace, such as one that is called redis. */
const OF_KUBERNETES = /_SERVICE_(HOST|PORT)|_PORT(_\d+_(TCP|UDP)|$)/;

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

/** Logs a warning for each of them. */
export function warnOfUnknownVariables(logger: { warn(message: string): void }): void {
  for (const name of unknownVariables(process.env)) {
    logger.warn(`${name} is set, but nothing reads it: is it misspelt?`);
  }
}
