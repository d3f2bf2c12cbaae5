import type { ModuleName } from '../../contracts/modules.js';

/** Injects the modules that hold something of a person (`ModuleName[]`), whether this process serves them or not. */
export const DATA_HOLDERS = Symbol('DATA_HOLDERS');

/**
 * A module that holds personal data and exports none would make every export fail; one whose manifest says nothing of
 * what it exports would be left out.
 *
 * @param served the modules of this process
 * @param sources those of them that have a provider with `@ExportsPersonalData`
 * @throws Error that says what is missing, and where
 */
export function assertHoldersExport(
  served: readonly ModuleName[],
  holders: readonly ModuleName[],
  sources: readonly ModuleName[],
): void {
  for (const name of served) {
    const [isHolder, isSource] = [holders.includes(name), sources.includes(name)];
    if (isHolder && !isSource) {
      throw new Error(
        `The module ${name} has no provider with @ExportsPersonalData('${name}'), but its manifest lists personal data.`,
      );
    }
    if (isSource && !isHolder) {
      throw new Error(`The manifest of the module ${name} must list the personal data that the module exports.`);
    }
  }
}
