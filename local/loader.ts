import { readdirSync } from 'node:fs';
import { join } from 'node:path';

/** How to run a program of an unpacked tree whose C library is newer than the system's. */
export interface Loader {
  /** The tree's own dynamic loader, relative to its root. */
  file: string;
  /** Where its libraries are, relative to its root. */
  libraries: string;
}

/**
 * The dynamic loader of an unpacked tree. Debian keeps it among the libraries of the architecture
 * (`usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2`).
 *
 * @throws Error when the tree has none.
 */
export function findLoader(root: string): Loader {
  for (const triplet of readdirSync(join(root, 'usr/lib'))) {
    if (!triplet.includes('-linux-')) continue;
    const libraries = join('usr/lib', triplet);
    const name = readdirSync(join(root, libraries)).find((entry) => /^ld-linux.*\.so\.\d+$/.test(entry));
    if (name) return { file: join(libraries, name), libraries };
  }
  throw new Error(`There is no dynamic loader in ${root}`);
}
