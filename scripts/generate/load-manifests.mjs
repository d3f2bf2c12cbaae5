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

/** @returns what a module of src exports, without a check of its types: those are among what is derived from manifests */
async function load(source) {
  const folder = mkdtempSync(join(tmpdir(), 'scalable-api-manifests-'));
  const file = join(folder, 'exports.mjs');
  try {
    await build({
      entryPoints: [source],
      outfile: file,
      bundle: true,
      platform: 'node',
      format: 'esm',
      logLevel: 'error',
      plugins: [dataAlone],
    });
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    // A service of esbuild that loses this process's input may print the state of its threads.
    await stop();
  }
}

export async function loadManifests() {
  return (await load('src/modules.ts')).MANIFESTS;
}

/** @returns the names of the platform's queues of durable work */
export async function loadPlatformQueues() {
  return (await load('src/contracts/platform-queues.ts')).PLATFORM_QUEUES;
}
