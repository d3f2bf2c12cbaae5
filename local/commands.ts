import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The file a command name stands for, looked up on the PATH; undefined when there is none. */
export function findCommand(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  for (const folder of path.split(delimiter).filter(Boolean)) {
    const file = join(folder, name);
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
