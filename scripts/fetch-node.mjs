#!/usr/bin/env node
/**
 * Fetches a version of Node from an npm package with the binary for Linux, and keeps it in the user's cache. Prints the
 * folder of the binary:
 *
 *   node scripts/fetch-node.mjs VERSION
 *
 * VERSION is what npm takes for one ("24", "22.12.0").
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { userCache } from './user-cache.mjs';

/**
 * Installs a version, or its newest release since the last time.
 *
 * @returns the folder of its binary; undefined, after a message, where it can't be had
 */
export function fetchNode(version) {
  const name = `node-linux-${process.arch}`;
  const folder = join(userCache(), 'node', version);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const options = ['--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  // What npm says goes to standard error: the answer of this script is the folder alone.
  const { status } = spawnSync('npm', ['install', ...options, `${name}@${version}`], { stdio: ['ignore', 2, 2] });
  const bin = join(folder, 'node_modules', name, 'bin');
  if (existsSync(join(bin, 'node'))) {
    if (status !== 0) console.error(`npm has no answer: Node ${version} is the one of an earlier run`);
    return bin;
  }
  console.error(`Node ${version} can't be had from npm as ${name}@${version}.`);
  return undefined;
}

if (resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const folder = fetchNode(process.argv[2] ?? '');
  if (folder) console.log(folder);
  else process.exitCode = 1;
}
