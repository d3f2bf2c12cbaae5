#!/usr/bin/env node
/**
 * `npm start`: compiles the local stack where that is stale, then hands over to it. Plain JavaScript that even an
 * old Node can read, so that it can say so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(here);
const [major, minor] = process.versions.node.split('.').map(Number);

function leave(message) {
  console.error(message);
  process.exit(1);
}

function isRunning(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** Two starts at once must not compile into the same folder: the second waits for the first. */
async function inTurn(lock, work) {
  mkdirSync(dirname(lock), { recursive: true });
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = Number(existsSync(lock) && readFileSync(lock, 'utf8'));
    if (owner && !isRunning(owner)) rmSync(lock, { force: true });
    else await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    return work();
  } finally {
    rmSync(lock, { force: true });
  }
}

if (major < 20 || (major === 20 && minor < 19)) {
  leave(`This needs Node 20.19 or newer, and here is ${process.versions.node}: get one from https://nodejs.org.`);
}
if (!existsSync(join(root, 'node_modules/typescript'))) {
  leave('The dependencies are missing: run npm ci first.');
}
try {
  // The service itself is compiled by the stack, while it fetches and starts servers.
  const build = [join(root, 'scripts/build.mjs'), '--if-stale', 'local/gateway/tsconfig.json', 'local/tsconfig.json'];
  const { status } = await inTurn(join(root, '.local', 'build.lock'), () =>
    spawnSync(process.execPath, build, { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  if (status !== 0) process.exit(status ?? 1);
} catch (error) {
  leave(`${root} can't be written to (${error.code ?? error.message}): start as the user it belongs to.`);
}
await import('./dist/main.js');
