import { type Environment, readEnvironment } from './environment.js';
import { readVariable, readVariables } from './read-variables.js';
import { readAwsSecret } from './secrets/aws-secrets-manager.js';
import { type Patience, SecretSource } from './secrets/secret-source.js';
import { readVaultSecret } from './secrets/vault.js';

const PATIENCE: Patience = { timeoutMs: 5000, attempts: 3, pauseMs: 500 };

/**
 * What `SECRETS_SOURCE` holds; nothing where the environment holds the secrets itself.
 *
 * @throws ConfigurationError naming the variable and its mend
 */
export async function loadSecrets(source: NodeJS.ProcessEnv, patience = PATIENCE): Promise<Record<string, string>> {
  const secretSource = readVariables([SecretSource], source);
  switch (secretSource.SECRETS_SOURCE) {
    case 'vault':
      return readVaultSecret(secretSource, patience);
    case 'aws-secrets-manager':
      return readAwsSecret(secretSource, patience);
    default:
      return {};
  }
}

/**
 * The environment with the secrets of `SECRETS_SOURCE` beneath it: what is set here, as `NAME` or as `NAME_FILE`, wins.
 * A secret can't name a file of this machine: keys that end in `_FILE` don't count.
 */
export async function withSecrets(source: NodeJS.ProcessEnv, patience = PATIENCE): Promise<NodeJS.ProcessEnv> {
  const secrets = Object.entries(await loadSecrets(source, patience));
  const missing = secrets.filter(([name]) => !name.endsWith('_FILE') && readVariable(source, name) === undefined);
  return { ...source, ...Object.fromEntries(missing) };
}

/**
 * The configuration to run with, from the environment, files and the secret source.
 *
 * @throws ConfigurationError naming each wrong variable and its mend
 */
export async function loadEnvironment(source: NodeJS.ProcessEnv): Promise<Environment> {
  return readEnvironment(await withSecrets(source));
}
