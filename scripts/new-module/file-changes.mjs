import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Changes of files that can be undone together. */
export class FileChanges {
  /** What was there before, by path: null where there was no file. */
  #before = new Map();
  /** Folders that were made, the outer ones first. */
  #folders = [];

  /** Keeps the present content of a file, for `undo`. For files that another program is about to change. */
  remember(path) {
    if (this.#before.has(path)) return;
    this.#before.set(path, existsSync(path) ? readFileSync(path) : null);
    for (const folder of missingFolders(dirname(path))) if (!this.#folders.includes(folder)) this.#folders.push(folder);
  }

  write(path, content) {
    this.remember(path);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }

  /** Makes every file what it was, and removes the folders that were made. */
  undo() {
    for (const [path, content] of this.#before) {
      if (content === null) rmSync(path, { force: true });
      else writeFileSync(path, content);
    }
    for (const folder of this.#folders.reverse()) rmSync(folder, { recursive: true, force: true });
  }
}

function missingFolders(folder) {
  return existsSync(folder) ? [] : [...missingFolders(dirname(folder)), folder];
}
