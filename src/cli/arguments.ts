import { InvalidArgumentError } from 'commander';
import { toList } from '../config/parse.js';
import { MODULES, type ModuleName } from '../contracts/modules.js';

/** @throws InvalidArgumentError for anything but a whole number */
export function toCount(value: string): number {
  if (!/^\d{1,9}$/.test(value)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(value);
}

/** @throws InvalidArgumentError for anything but names of modules, separated by commas */
export function toModules(value: string): ModuleName[] {
  const names = toList({ value }) as ModuleName[];
  if (names.length > 0 && names.every((name) => MODULES.includes(name))) return names;
  throw new InvalidArgumentError(`It must be one or more of ${MODULES.join(', ')}, separated by commas.`);
}
