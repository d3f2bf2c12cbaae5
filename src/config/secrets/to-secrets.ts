import { ConfigurationError } from '../read-variables.js';

/**
 * What a secret source holds, as variables: numbers and booleans become text.
 *
 * @param variable the one that says where the secret is
 * @throws ConfigurationError for what isn't an object of such values, naming the key but no value
 */
export function toSecrets(content: unknown, variable: string): Record<string, string> {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new ConfigurationError(
      `${variable} leads to no set of keys and values: its keys must be names of variables.`,
    );
  }
  return Object.fromEntries(
    Object.entries(content).map(([name, value]: [string, unknown]) => {
      if (typeof value === 'string') return [name, value];
      if (typeof value === 'number' || typeof value === 'boolean') return [name, String(value)];
      throw new ConfigurationError(`${name}, in the secret that ${variable} names, must be text.`);
    }),
  );
}
