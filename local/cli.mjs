#!/usr/bin/env node
/** `npm run cli -- <command>`: runs an operator's command against the running local stack. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const program = join(here, '../dist/cli.js');
const helper = join(here, 'dist/cli-environment.js');

const env = existsSync(helper) ? (await import(pathToFileURL(helper).href)).runningStackEnvironment() : undefined;
if (!env || !existsSync(program)) {
  console.error("The local stack isn't running: start it with npm start in another terminal, then try again.");
  process.exit(1);
}
const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { env, stdio: 'inherit' });
// The terminal sends these to the command as well, which decides what to do about them.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
child.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
