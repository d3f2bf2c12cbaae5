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
 * The variables that a class declares, as an instance of it.
 *
 * @throws ConfigurationError naming each wrong variable and its mend
 */
export function readVariables<T extends object>(type: new () => T, source: NodeJS.ProcessEnv): T {
  const values: Record<string, string> = {};
  for (const name of namesOf(type)) {
    const value = readVariable(source, name);
    if (value) values[name] = value;
  }
  const variables = plainToInstance(type, values, { exposeDefaultValues: true });
  const problems = validateSync(variables, { stopAtFirstError: true }).map(({ property, constraints, value }) => {
    const missing = value === undefined ? 'is missing: it ' : '';
    const rule = Object.values(constraints ?? {})[0] ?? 'is not valid';
    // The library's own messages begin with the name, ours don't.
    return `${property} ${missing}${rule.replace(`${property} `, '')}.`;
  });
  if (problems.length > 0) throw new ConfigurationError(problems.join('\n'));
  return variables;
}

function readFile(name: string, path: string | undefined): string | undefined {
  if (!path) return undefined;
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch {
    throw new ConfigurationError(`${name} names a file that can't be read: check its path and permissions.`);
  }
}
