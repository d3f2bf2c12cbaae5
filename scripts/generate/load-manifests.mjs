import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { build, stop } from 'esbuild';

/** Nest modules, and all that they load, stay out: only the data is needed. */
const dataAlone = {
  name: 'data-alone',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ path, kind }) => (kind === 'dynamic-import' ? { path, external: true } : undefined));
  },
};

/** @returns the manifests of src/modules.ts, without a check of their types: those are among what is derived from them */
export async function loadManifests() {
  const folder = mkdtempSync(join(tmpdir(), 'scalable-api-manifests-'));
  const file = join(folder, 'modules.mjs');
  try {
    await build({
      entryPoints: ['src/modules.ts'],
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      plugins: [dataAlone],
    });
    return (await import(pathToFileURL(file).href)).MANIFESTS;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    // A service of esbuild that loses this process's input may print the state of its threads.
    await stop();
  }
}
