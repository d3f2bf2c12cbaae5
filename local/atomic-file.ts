import { chmodSync, renameSync, writeFileSync } from 'node:fs';

/** Replaces a file in one step, so that no reader and no interruption ever sees half of it. Only the owner may read it. */
export function writePrivateFile(file: string, content: string): void {
  const draft = `${file}.unfinished`;
  writeFileSync(draft, content, { mode: 0o600 });
  chmodSync(draft, 0o600);
  renameSync(draft, file);
}
