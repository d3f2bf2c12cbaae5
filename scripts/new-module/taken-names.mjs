import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { importedNames, newFiles } from './templates.mjs';

const SCHEMA = /@Schema\(\{[^)]*?\bcollection: '(\w+)'[^)]*\)\s*export class (\w+)/g;
/** What the templates use without importing it. */
const BUILT_IN = [
  'Array',
  'Date',
  'Error',
  'JSON',
  'Number',
  'Object',
  'Partial',
  'Promise',
  'Record',
  'Required',
  'String',
];

/**
 * Looks for what the module would have in common with something that is there.
 *
 * @param names what the placeholders stand for
 * @returns a sentence; undefined where every name is free
 */
export function findTaken(names, manifests) {
  const { plural, Singular, collection, singular } = names;
  if (existsSync(`src/modules/${plural}`)) return `The module ${plural} exists already.`;
  const owner = manifests.find(({ name, apiPaths }) => [name, ...apiPaths].includes(plural));
  if (owner) return `The path /api/v1/${plural} belongs to the module ${owner.name}.`;
  const schema = schemas().find((each) => each.collection === collection || each.model === Singular);
  if (schema) return `The collection ${schema.collection} (${schema.model}) exists already: ${schema.file}.`;
  const file = Object.keys(newFiles(names)).find((path) => existsSync(path));
  if (file) return `${file} exists already.`;
  const { services } = parse(readFileSync('docker/compose.yaml', 'utf8'), { merge: true });
  const service = [plural, `${plural}-indexes`].find((name) => name in services);
  if (service) return `docker/compose.yaml has a service ${service} already.`;
  if (importedNames().has(Singular) || BUILT_IN.includes(Singular)) {
    return `"${singular}" would hide ${Singular}, which the module's code uses: choose another name.`;
  }
  return undefined;
}

function schemas() {
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.schema.ts'))
    .flatMap((file) =>
      [...readFileSync(join('src', file), 'utf8').matchAll(SCHEMA)].map(([, collection, model]) => ({
        file: `src/${file}`,
        collection,
        model,
      })),
    );
}
