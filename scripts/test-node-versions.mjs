#!/usr/bin/env node
/**
 * Runs `npm test` on several versions of Node, one after the other:
 *
 *   node scripts/test-node-versions.mjs [VERSION ...] [-- argument of npm test ...]
 *
 * A version is what npm takes for one ("24", "22.12.0"); default: all that the service supports. fetch-node.mjs says where
 * they come from.
 */
import { spawnSync } from 'node:child_process';
import { delimiter, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { fetchNode } from './fetch-node.mjs';

const SUPPORTED = ['20', '22', '24', '26'];
const root = resolve(fileURLToPath(import.meta.url), '../..');

const args = process.argv.slice(2);
const end = args.includes('--') ? args.indexOf('--') : args.length;
const versions = end > 0 ? args.slice(0, end) : SUPPORTED;
const results = versions.map((version) => {
  const folder = fetchNode(version);
  if (!folder) process.exit(1);
  const env = { ...process.env, PATH: [folder, process.env.PATH].join(delimiter) };
  const exact = spawnSync('node', ['--version'], { env, encoding: 'utf8' }).stdout.trim();
  console.log(`== Node ${exact}`);
  const { status } = spawnSync('npm', ['test', '--', ...args.slice(end + 1)], { cwd: root, env, stdio: 'inherit' });
  return { exact, ok: status === 0 };
});
for (const { exact, ok } of results) console.log(`Node ${exact}: ${ok ? 'passed' : 'FAILED'}`);
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
