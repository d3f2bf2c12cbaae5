/**
 * Bundles compiled programs with the packages they use: a start reads a few large files instead of 3,000 small ones, in a
 * fraction of the processor time.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';
import { build } from 'esbuild';

/** Packages that stay in node_modules: native code, files beside the code, code loaded by its path, or seldom needed. */
const APART = [
  '@node-rs/argon2',
  '@aws-sdk',
  'class-transformer',
  'class-validator',
  'ioredis',
  'mongoose',
  'pino',
  'swagger-ui-dist',
  'thread-stream',
];
const CHUNKS = 'chunks';
const IN_PACKAGE = `${sep}node_modules${sep}`;

const packageOf = (path) =>
  path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/');

function isInstalled(name, importer) {
  const folders = createRequire(importer).resolve.paths(name) ?? [];
  return folders.some((folder) => existsSync(join(folder, name)));
}

/** An optional package that isn't installed is left to Node, too, whose error its user expects. */
const packagesApart = {
  name: 'packages-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^[^./]/ }, ({ path, importer, kind }) => {
      if (kind === 'entry-point' || path.startsWith('node:')) return undefined;
      const name = packageOf(path);
      const isApart = APART.some((each) => name === each || name.startsWith(`${each}/`));
      return isApart || !isInstalled(name, importer) ? { path, external: true } : undefined;
    });
  },
};

/** Own code finds files by the URL of its module: it gets the one it would have in `target`, beside what it looks for. */
const ownUrls = (compiled, target) => ({
  name: 'own-urls',
  setup({ onLoad }) {
    onLoad({ filter: /\.js$/ }, async ({ path }) => {
      if (path.includes(IN_PACKAGE)) return undefined;
      const place = relative(join(target, CHUNKS), join(target, relative(compiled, path)));
      const url = `new URL(${JSON.stringify(place)}, import.meta.url).href`;
      return { contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', url), loader: 'js' };
    });
  },
});

/**
 * What esbuild makes of `keepNames`: it names each function at the moment it is made, so also the closures that every request
 * makes. What has its name already is left as it is.
 */
const NAMING = 'var __name = (target, value) => __defProp(target, "name", { value, configurable: true });';
const CHEAP_NAMING = `var __name = (target, value) => target.name === value ? target : __defProp(target, "name", { value, configurable: true });`;

/** @throws Error where esbuild writes its helper in another way */
async function nameCheaply(target, { outputs }) {
  let replaced = 0;
  for (const path of Object.keys(outputs).filter((each) => each.endsWith('.js'))) {
    const text = await readFile(path, 'utf8');
    if (!text.includes(NAMING)) continue;
    await writeFile(path, text.replace(NAMING, CHEAP_NAMING));
    replaced++;
  }
  if (replaced === 0) throw new Error(`esbuild's helper for names isn't in ${target}: look at scripts/bundle.mjs`);
}

/**
 * @param compiled the folder of the compiled modules
 * @param target where the bundles go
 * @param programs names of modules in `compiled`, each of which becomes a program of the same name in `target`
 */
export async function bundle(compiled, target, programs) {
  const { metafile } = await build({
    entryPoints: programs.map((name) => join(compiled, name)),
    outdir: target,
    chunkNames: `${CHUNKS}/[name]-[hash]`,
    bundle: true,
    splitting: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    // Names of classes are names of collections, of schemas in the API's description, and of sources of log lines.
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    metafile: true,
    logLevel: 'error',
    plugins: [packagesApart, ownUrls(compiled, target)],
    // CommonJS packages ask for Node's own modules with `require`.
    banner: {
      js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
    },
  });
  await nameCheaply(target, metafile);
}
