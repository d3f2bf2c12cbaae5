#!/usr/bin/env node
/**
 * Removes a module from src/modules/ and from all lists that name it: the reverse of `npm run new:module`. Works on the folder it is
 * started in. What other code imports of the module is for the compiler to report; docs/removing-tasks.md has an example.
 *
 *   node scripts/remove-module.mjs NAME
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseDocument } from 'yaml';
import { loadManifests } from './generate/load-manifests.mjs';

const USAGE = 'Usage: npm run remove:module -- NAME';
const GENERATE = fileURLToPath(new URL('generate.mjs', import.meta.url));
const MODULES = 'src/modules.ts';
const ASYNCAPI = 'docs/asyncapi.yaml';
const COMPOSE = 'docker/compose.yaml';

/** The module's own files, beside those that `npm run generate` writes. */
const filesOf = (name) => [
  ...[`src/modules/${name}`, `src/contracts/${name}.events.ts`, `k8s/overlays/split/${name}`],
  ...[`test/integration/${name}.int-spec.ts`, `test/e2e/${name}.e2e-spec.ts`],
];

/** @returns the contents of the lists that are written by hand, without the module */
function editedFiles({ name, events }) {
  const types = Object.values(events).flatMap((event) => event.type ?? []);
  return {
    [MODULES]: withoutManifest(readFileSync(MODULES, 'utf8'), name),
    [ASYNCAPI]: withoutEntries(ASYNCAPI, [
      [['info', 'tags'], ({ value }) => value.name === name],
      [['channels'], ({ value }) => types.includes(value.address)],
      [['operations'], ({ value }) => value.tags?.some((tag) => tag.name === name)],
      [['components', 'messages'], ({ value }) => types.includes(value.name)],
    ]),
    [COMPOSE]: withoutEntries(COMPOSE, [
      [['services', 'nginx-split', 'depends_on'], ({ key }) => key === name],
      [['services'], ({ key }) => [name, `${name}-indexes`].includes(key)],
    ]),
  };
}

function withoutManifest(text, name) {
  const line = new RegExp(`^import \\{ (\\w+) \\} from './modules/${name}/${name}.manifest.js';\\n`, 'm');
  const [, variable] = line.exec(text) ?? [];
  return text.replace(line, '').replace(/(ModuleManifest\[\] = \[)([^\]]*)\]/, (_, begin, list) => {
    const others = list.split(',').map((each) => each.trim());
    return `${begin}${others.filter((each) => each !== '' && each !== variable).join(', ')}]`;
  });
}

/**
 * The text of a YAML file without some entries of its maps and lists; the rest stays as it is, with its comments.
 *
 * @param removals where the map or list is, and which of its entries go, by their key and their value as plain data
 */
function withoutEntries(file, removals) {
  const text = readFileSync(file, 'utf8');
  const document = parseDocument(text, { merge: true });
  const ranges = removals.flatMap(([path, isRemoved]) =>
    document
      .getIn(path, true)
      .items.map((item) => ({ key: item.key, value: item.key ? item.value : item }))
      .filter(({ key, value }) => isRemoved({ key: key?.value, value: value.toJS(document) }))
      .map(({ key, value }) => [
        text.lastIndexOf('\n', (key ?? value).range[0]) + 1,
        text.indexOf('\n', value.range[1] - 1) + 1,
      ]),
  );
  // From the last one on, so that the places before stay true.
  return ranges
    .sort(([one], [other]) => other - one)
    .reduce((rest, [start, end]) => rest.slice(0, start) + rest.slice(end), text);
}

async function main([name, ...others]) {
  if (!name || others.length > 0) throw new Error(`Name one module.\n\n${USAGE}`);
  const manifest = (await loadManifests()).find((each) => each.name === name);
  if (!manifest) throw new Error(`There is no module ${name} in ${MODULES}.`);
  const edited = Object.entries(editedFiles(manifest));
  for (const [path, content] of edited) writeFileSync(path, content);
  for (const path of filesOf(name).filter((each) => existsSync(each))) {
    rmSync(path, { recursive: true });
    console.log(`removed ${path}`);
  }
  for (const [path] of edited) console.log(`wrote ${path}`);
  const { status } = spawnSync(process.execPath, [GENERATE], { stdio: 'inherit' });
  console.log('\nWhat still uses the module: npm run check');
  return status ?? 1;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
