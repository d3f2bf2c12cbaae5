import { readFileSync } from 'node:fs';
import { plainToInstance } from 'class-transformer';
import { getMetadataStorage, validateSync } from 'class-validator';

/** A configuration the service can't run with; `message` has one sentence a variable and never a value. */
export class ConfigurationError extends Error {}

/** The variables that a class declares, by their validation rules. */
export function namesOf(type: new () => object): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(type, '', true, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

/** The text of a variable, from `NAME` or else from the file that `NAME_FILE` names; undefined where it is empty. */
export function readVariable(source: NodeJS.ProcessEnv, name: string): string | undefined {
  return source[name] || readFile(`${name}_FILE`, source[`${name}_FILE`]) || undefined;
}

/**
 * The variables that classes declare, in one object. The rules of a class see those of the others, too.
 *
 * @throws ConfigurationError naming each wrong variable and what it must be
 */
export function readVariables<T extends object>(types: readonly (new () => T)[], source: NodeJS.ProcessEnv): T {
  const parts = types.map((type) => plainToInstance(type, valuesOf(type, source), { exposeDefaultValues: true }));
  const variables = Object.assign({}, ...parts) as T;
  const errors = parts.flatMap((part) => validateSync(Object.assign(part, variables), { stopAtFirstError: true }));
  const problems = errors.map(({ property, constraints, value }) => {
    const missing = value === undefined ? 'is missing: it ' : '';
    const rule = Object.values(constraints ?? {})[0] ?? 'is not valid';
    // The library's own messages begin with the name, ours don't.
    return `${property} ${missing}${rule.replace(`${property} `, '')}.`;
  });
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  return variables;
}

function valuesOf(type: new () => object, source: NodeJS.ProcessEnv): Record<string, string> {
  const values = namesOf(type).map((name) => [name, readVariable(source, name)]);
  return Object.fromEntries(values.filter(([, value]) => value)) as Record<string, string>;
}

function readFile(name: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    throw new ConfigurationError(`${name} names a file that can't be read: check its path and permissions.`);
  }
}
