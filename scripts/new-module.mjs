#!/usr/bin/env node
/**
 * Adds a module to src/modules/: create, list, read, change and delete of what belongs to one user, with its events, export and
 * erasure, tests and documentation. Works on the folder it is started in; where it fails, nothing is changed.
 * docs/adding-a-module.md says what to do then.
 *
 *   node scripts/new-module.mjs NAME [--singular NAME]
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { loadManifests } from './generate/load-manifests.mjs';
import { placesOf } from './generate/places.mjs';
import { editedFiles } from './new-module/edits.mjs';
import { FileChanges } from './new-module/file-changes.mjs';
import { faultOfName, placeholdersOf, singularOf } from './new-module/names.mjs';
import { findTaken } from './new-module/taken-names.mjs';
import { newFiles, renderInsertion } from './new-module/templates.mjs';

const USAGE = `Usage: npm run new:module -- NAME [--singular NAME]

Adds the module NAME, in the plural and in kebab-case, e.g. projects or time-entries.

  --singular NAME   one of them, where it doesn't follow from the last letters: movies --singular movie
  --help            shows this
`;

const GENERATE = fileURLToPath(new URL('generate.mjs', import.meta.url));

class UsageError extends Error {}

/** @returns null where only help is wanted. @throws UsageError */
function readArguments() {
  const options = { singular: { type: 'string' }, help: { type: 'boolean', short: 'h' } };
  let given;
  try {
    given = parseArgs({ options, allowPositionals: true });
  } catch (error) {
    throw new UsageError(error.message, { cause: error });
  }
  const { values, positionals } = given;
  if (values.help) return null;
  if (positionals.length !== 1) throw new UsageError('Name one module.');
  const [plural] = positionals;
  const fault = faultOfName(plural);
  if (fault) throw new UsageError(fault);
  const singular = values.singular ?? singularOf(plural);
  if (singular === undefined) {
    throw new UsageError(`One of ${plural} can't be named by the last letters alone: name it with --singular.`);
  }
  const faultOfSingular = faultOfName(singular);
  if (faultOfSingular) throw new UsageError(`--singular: ${faultOfSingular}`);
  if (singular === plural) throw new UsageError('The singular must differ from the plural.');
  return placeholdersOf(plural, singular);
}

async function formatted(path, content) {
  const options = await resolveConfig(path);
  return await format(content, { ...options, filepath: path });
}

/** Writes everything, and what is derived from the manifest. @throws Error where something of it fails */
async function write(contents, changes) {
  for (const [path, content] of contents) changes.write(path, content);
  for (const { file } of placesOf(await loadManifests())) changes.remember(file);
  const { status, stdout, stderr } = spawnSync(process.execPath, [GENERATE], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`npm run generate failed:\n${stdout}${stderr}`.trimEnd());
  return stdout;
}

async function main() {
  const names = readArguments();
  if (!names) return console.log(USAGE);
  const taken = findTaken(names, await loadManifests());
  if (taken) throw new UsageError(taken);
  const rendered = Object.entries({
    ...newFiles(names),
    ...editedFiles(names, (file) => renderInsertion(file, names)),
  });
  const contents = await Promise.all(rendered.map(async ([path, text]) => [path, await formatted(path, text)]));

  // An interrupted `npm run generate` fails, and is undone; without a handler, this process would end before that.
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => undefined);
  const changes = new FileChanges();
  let derived;
  try {
    derived = await write(contents, changes);
  } catch (error) {
    changes.undo();
    throw new Error(`Nothing was changed: ${error.message}`, { cause: error });
  }
  for (const [path] of contents) console.log(`wrote ${path}`);
  console.log(`${derived}
The module ${names.plural} is there (one of them is ${names.aSingular}). Its tests:

  npm test -- ${names.plural}
  npm run check
`);
}

try {
  await main();
} catch (error) {
  console.error(error instanceof UsageError ? `${error.message}\n\n${USAGE}` : error.message);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
