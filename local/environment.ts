import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

type Env = NodeJS.ProcessEnv;

/** Adds the project's `.env` to this process's environment; what is set there already stays. */
export function loadDotEnv(projectRoot: string): void {
  const file = join(projectRoot, '.env');
  if (existsSync(file)) process.loadEnvFile(file);
}

/** Whether a variable is given, itself or as `NAME_FILE`. An empty one counts as not given. */
export function isGiven(env: Env, name: string): boolean {
  return Boolean(env[name] || env[`${name}_FILE`]);
}

/**
 * A variable's value, or the content of the file that `NAME_FILE` names.
 *
 * @throws Error when that file can't be read.
 */
export function givenValue(env: Env, name: string): string | undefined {
  const file = env[`${name}_FILE`];
  if (env[name] || !file) return env[name] || undefined;
  try {
    return readFileSync(file, 'utf8').trimEnd();
  } catch {
    throw new Error(`${name}_FILE names a file that can't be read: check its path and permissions.`);
  }
}

/** The stack's own values, under those that are given. */
export function serviceEnvironment(given: Env, own: Record<string, string>): Env {
  const defaults = Object.entries(own).filter(([name]) => !isGiven(given, name));
  return { ...given, ...Object.fromEntries(defaults) };
}

/** Names of the variables that `.env.example` documents, set or commented out. */
export function documentedNames(example: string): string[] {
  return [...example.matchAll(/^#?\s*([A-Z][A-Z0-9_]+)=/gm)].map((match) => match[1]!);
}

/** The part of an environment that configures the service: what other commands need to do as it does. */
export function configurationOf(env: Env, names: Iterable<string>): Record<string, string> {
  const configuration: Record<string, string> = {};
  for (const name of [...names].flatMap((base) => [base, `${base}_FILE`])) {
    const value = env[name];
    if (value) configuration[name] = value;
  }
  return configuration;
}
