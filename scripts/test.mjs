#!/usr/bin/env node
/**
 * Runs one of the test suites below, after compiling what is stale:
 *
 *   node scripts/test.mjs SUITE [argument of Jest ...]
 *
 * Each run has a temporary directory of its own, which is removed afterwards; what can be reused is in the user's cache.
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userCache } from './user-cache.mjs';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const MINUTE_MS = 60_000;
const FOLDER = 'scalable-api-test-';

/**
 * `projects` of jest.config.js. Where it differs from the configuration: `timeout` of a test (ms), the number of `workers`,
 * the one `file` that is run, `env` for it, and whether compiled code is needed (`build`).
 */
const SUITES = {
  all: { projects: ['unit', 'integration', 'e2e'] },
  unit: { projects: ['unit'], build: false },
  gateway: { projects: ['gateway'] },
  // A page with all operations takes a second to draw; on a busy machine, several.
  browser: { projects: ['browser'], timeout: 5 * MINUTE_MS, workers: 1 },
  chaos: { projects: ['chaos'], timeout: 120 * MINUTE_MS },
  // Installs the generators, and compiles what they make.
  clients: { projects: ['clients'], timeout: 10 * MINUTE_MS, workers: 1 },
  cluster: { projects: ['cluster'], timeout: 5 * MINUTE_MS },
  deploy: { projects: ['deploy'], build: false },
  // Compiles, checks and tests a generated module.
  generator: {
    projects: ['generator'],
    file: 'test/generator/new-module',
    timeout: 15 * MINUTE_MS,
    workers: 1,
    build: false,
  },
  // Removes the module tasks from a copy, and checks and tests the rest.
  removal: {
    projects: ['generator'],
    file: 'test/generator/remove-tasks',
    timeout: 60 * MINUTE_MS,
    workers: 1,
    build: false,
  },
  observability: { projects: ['observability'], timeout: 2 * MINUTE_MS },
  shapes: { projects: ['shapes'], timeout: 2 * MINUTE_MS },
  versions: { projects: ['versions'], timeout: 10 * MINUTE_MS },
  backlog: { projects: ['backlog'], timeout: 240 * MINUTE_MS },
  // Longer runs of single files of the suite `all`.
  burst: { projects: ['e2e'], file: 'test/e2e/burst', workers: 1, env: { TEST_BURST: 'full' } },
  cache: { projects: ['e2e'], file: 'test/cache/model', env: { CACHE_OPERATIONS: '50000' } },
  fuzz: {
    projects: ['e2e'],
    file: 'test/security/fuzz',
    env: { FUZZ_REQUESTS: '100000', FUZZ_SEED: String(randomInt(2 ** 31)) },
  },
  scale: {
    projects: ['integration', 'e2e'],
    file: 'test/.*/(task-scale|task-paging|idempotency-instances)',
    timeout: 5 * MINUTE_MS,
    workers: 1,
    env: { TEST_SCALE: 'full' },
  },
};

/** Runs a program in the checkout, on this Node. @returns its exit code; 1 where a signal ended it */
function run(args) {
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' });
  // From a terminal the child gets SIGINT too; it ends its servers, and then this process.
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((done) => child.once('exit', (code) => done(code ?? 1)));
}

/** Removes folders of this user's runs that were killed before they could. */
function sweepDeadRuns() {
  // Only Linux says so simply which processes there are.
  if (process.platform !== 'linux') return;
  for (const name of readdirSync(tmpdir())) {
    const pid = name.startsWith(FOLDER) && Number(name.slice(FOLDER.length).split('-')[0]);
    if (!pid || existsSync(join('/proc', String(pid)))) continue;
    const path = join(tmpdir(), name);
    const isOwn = statSync(path, { throwIfNoEntry: false })?.uid === process.getuid();
    if (isOwn) rmSync(path, { recursive: true, force: true });
  }
}

/** The temporary directory of this run. */
function makeFolder() {
  sweepDeadRuns();
  const folder = mkdtempSync(join(tmpdir(), `${FOLDER}${process.pid}-`));
  // Servers that refuse to run as root have to get in.
  chmodSync(folder, 0o755);
  return folder;
}

const [name, ...given] = process.argv.slice(2);
const suite = SUITES[name];
if (!suite) {
  console.error(`Name a test suite: ${Object.keys(SUITES).join(', ')}.`);
  process.exit(2);
}
const { projects, timeout, workers, file, build = true } = suite;
const folder = makeFolder();
const env = {
  ...suite.env,
  NODE_COMPILE_CACHE: join(userCache(), 'compiled'),
  ...process.env,
  TMPDIR: folder,
};
const args = [
  ...[
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    join(root, 'node_modules/jest/bin/jest.js'),
  ],
  ...(file ? [file] : []),
  ...(timeout ? [`--testTimeout=${timeout}`] : []),
  ...(workers ? [`--maxWorkers=${workers}`] : []),
  `--cacheDirectory=${join(userCache(), 'jest')}`,
  ...given,
  // Last, because it takes all words that follow it.
  ...['--selectProjects', ...projects],
];
process.exitCode = build ? await run([join(root, 'scripts/build.mjs'), '--if-stale']) : 0;
if (process.exitCode === 0) process.exitCode = await run(args);
rmSync(folder, { recursive: true, force: true });
