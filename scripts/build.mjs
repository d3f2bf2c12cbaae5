#!/usr/bin/env node
/**
 * Compiles what `npm start`, the tests and the image run: the service (src -> build, and its programs from there, bundled
 * -> dist), and, where the folder is there, the local stack and its gateway. The compiler plugins of nest-cli.json are
 * applied, so `nest build` compiles to the same.
 *
 *   node scripts/build.mjs [--if-stale] [tsconfig ...]
 */
import { createRequire } from 'node:module';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

const PROJECTS = [
  'tsconfig.build.json',
  'local/gateway/tsconfig.json',
  'local/tsconfig.json',
  'packages/client/tsconfig.build.json',
];
const ASSETS = /^common[/\\](pages|openapi)[/\\][^/\\]+\.(js|css)$/;
const OUTPUT = /\.js(\.map)?$/;
const INPUTS = [
  'tsconfig.json',
  'nest-cli.json',
  'package-lock.json',
  'node_modules/.package-lock.json', // what is installed, which goes into the bundles
  'scripts/build.mjs',
  'scripts/bundle.mjs',
];
/** The service alone is bundled: the modules of the local stack are imported one by one. */
const BUNDLES = { project: PROJECTS[0], programs: ['main.js', 'cli.js'], outDir: join(root, 'dist') };

function inputs() {
  return INPUTS.map((input) => join(root, input)).filter((path) => existsSync(path));
}

function newestMtime(path) {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  return (
    readdirSync(path, { withFileTypes: true })
      .filter(({ name }) => name !== 'dist' && name !== 'node_modules')
      // A folder with a configuration of its own is another project.
      .filter(({ name }) => !existsSync(join(path, name, 'tsconfig.json')))
      .reduce((newest, entry) => Math.max(newest, newestMtime(join(path, entry.name))), stat.mtimeMs)
  );
}

function readProject(name) {
  const file = join(root, name);
  const { compilerOptions } = JSON.parse(readFileSync(file, 'utf8'));
  const base = dirname(file);
  const outDir = resolve(base, compilerOptions.outDir);
  const stamp = join(name === BUNDLES.project ? BUNDLES.outDir : outDir, '.built');
  return { name, file, rootDir: resolve(base, compilerOptions.rootDir), outDir, stamp };
}

function isStale({ file, rootDir, outDir, stamp }) {
  if (!existsSync(stamp) || !existsSync(outDir)) return true;
  const built = statSync(stamp).mtimeMs;
  return [file, rootDir, ...inputs()].some((path) => newestMtime(path) > built);
}

function compilerPlugins(ts, program) {
  const { plugins } = JSON.parse(readFileSync(join(root, 'nest-cli.json'), 'utf8')).compilerOptions;
  return plugins.map(({ name, options }) => require(`${name}/plugin`).before(options, program));
}

async function compile(ts, project) {
  const started = Date.now();
  const config = ts.getParsedCommandLineOfConfigFile(
    project.file,
    {},
    { ...ts.sys, onUnRecoverableConfigFileDiagnostic: fail },
  );
  removeLeftovers(project);
  const tsBuildInfoFile = join(project.outDir, '.tsbuildinfo');
  const options = { ...config.options, incremental: true, tsBuildInfoFile };
  const incremental = ts.createIncrementalProgram({ rootNames: config.fileNames, options });
  const program = incremental.getProgram();
  // Before the emit, which writes down what is known by then.
  const found = ts.getPreEmitDiagnostics(incremental);
  const isService = project.name === BUNDLES.project;
  const emitted = incremental.emit(undefined, undefined, undefined, false, {
    before: isService ? compilerPlugins(ts, program) : [],
  });
  const diagnostics = [...config.errors, ...found, ...emitted.diagnostics];
  if (diagnostics.length > 0) {
    const host = { getCurrentDirectory: () => root, getCanonicalFileName: (name) => name, getNewLine: () => '\n' };
    fail(ts.formatDiagnosticsWithColorAndContext(diagnostics, host));
  }
  copyAssets(project, project.outDir);
  if (isService) await bundleService(project);
  writeFileSync(project.stamp, '');
  console.error(`built ${relative(root, project.outDir)} in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

/** All of the last build's output where it was made otherwise; else what came of sources that are gone. */
function removeLeftovers({ file, rootDir, outDir, stamp }) {
  const made = existsSync(stamp) && existsSync(outDir) ? statSync(stamp).mtimeMs : 0;
  if ([file, ...inputs()].some((path) => newestMtime(path) > made)) {
    rmSync(outDir, { recursive: true, force: true });
    return;
  }
  for (const name of readdirSync(outDir, { recursive: true })) {
    const source = join(rootDir, name.replace(/\.js(\.map)?$/, '.ts'));
    if (OUTPUT.test(name) && !existsSync(source)) rmSync(join(outDir, name));
  }
}

/** What the service sends to browsers as it stands (the same files as `assets` in nest-cli.json). */
function copyAssets({ rootDir }, outDir) {
  for (const file of readdirSync(rootDir, { recursive: true })) {
    if (ASSETS.test(file)) cpSync(join(rootDir, file), join(outDir, file));
  }
}

async function bundleService(project) {
  const { bundle } = await import('./bundle.mjs');
  // The programs of the last build stay until there are new ones.
  const folder = `${BUNDLES.outDir}.${process.pid}`;
  try {
    await bundle(project.outDir, folder, BUNDLES.programs);
    copyAssets(project, folder);
    rmSync(BUNDLES.outDir, { recursive: true, force: true });
    renameSync(folder, BUNDLES.outDir);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function fail(message) {
  console.error(typeof message === 'string' ? message : message.messageText);
  process.exit(1);
}

const args = process.argv.slice(2);
const named = args.filter((arg) => !arg.startsWith('--'));
const projects = (named.length > 0 ? named : PROJECTS.filter((name) => existsSync(join(root, name)))).map(readProject);
const wanted = args.includes('--if-stale') ? projects.filter(isStale) : projects;
if (wanted.length > 0) {
  const { default: ts } = await import('typescript');
  for (const project of wanted) await compile(ts, project);
}
