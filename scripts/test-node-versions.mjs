#!/usr/bin/env node
/**
 * Runs `npm test` on several versions of Node, one after the other:
 *
 *   node scripts/test-node-versions.mjs [VERSION ...] [-- argument of npm test ...]
 *
 * A version is what npm takes for one ("24", "22.12.0"); default: all that the service supports. Each comes from an npm
 * package with the binary for Linux, and is kept in the user's cache.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userCache } from './user-cache.mjs';

const SUPPORTED = ['20', '22', '24', '26'];
const root = resolve(fileURLToPath(import.meta.url), '../..');

/** Installs a version, or its newest release since the last time. @returns the folder of its binary */
function install(version) {
  const name = `node-linux-${process.arch}`;
  const folder = join(userCache(), 'node', version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status } = spawnSync('npm', ['install', ...options, `${name}@${version}`], { stdio: 'inherit' });
  const bin = join(folder, 'node_modules', name, 'bin');
  if (existsSync(join(bin, 'node'))) {
    if (status !== 0) console.error(`npm has no answer: Node ${version} is the one of an earlier run`);
    return bin;
  }
  console.error(`Node ${version} can't be had from npm as ${name}@${version}.`);
  process.exit(1);
}

const args = process.argv.slice(2);
const end = args.includes('--') ? args.indexOf('--') : args.length;
const versions = end > 0 ? args.slice(0, end) : SUPPORTED;
const results = versions.map((version) => {
  const env = { ...process.env, PATH: [install(version), process.env.PATH].join(delimiter) };
  const exact = spawnSync('node', ['--version'], { env, encoding: 'utf8' }).stdout.trim();
  console.log(`== Node ${exact}`);
  const { status } = spawnSync('npm', ['test', '--', ...args.slice(end + 1)], { cwd: root, env, stdio: 'inherit' });
  return { exact, ok: status === 0 };
});
for (const { exact, ok } of results) console.log(`Node ${exact}: ${ok ? 'passed' : 'FAILED'}`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
