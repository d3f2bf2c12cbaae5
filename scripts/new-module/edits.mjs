import { readFileSync } from 'node:fs';
import { isMap, parseDocument } from 'yaml';

const ASYNCAPI = 'docs/asyncapi.yaml';
const COMPOSE = 'docker/compose.yaml';
const MODULES = 'src/modules.ts';

/**
 * Files that list modules and are written by hand, with the new module in them.
 *
 * @param render gives the text of a file in `insertions/`, e.g. `docs/asyncapi/tag.yaml`
 * @returns the contents by path
 * @throws Error where a file hasn't got the place where the module belongs
 */
export function editedFiles({ plural, pluralName }, render) {
  return {
    [MODULES]: addManifest(readFileSync(MODULES, 'utf8'), plural, pluralName),
    [ASYNCAPI]: insertInto(ASYNCAPI, [
      [endOf('info', 'tags'), render('docs/asyncapi/tag.yaml')],
      [endOf('channels'), render('docs/asyncapi/channels.yaml')],
      [endOf('operations'), render('docs/asyncapi/operations.yaml')],
      [endOf('components', 'messages'), render('docs/asyncapi/messages.yaml')],
    ]),
    [COMPOSE]: insertInto(COMPOSE, [
      [endOf('services', 'nginx-split', 'depends_on'), render('docker/compose/dependency.yaml')],
      [beforeKey('indexes', 'services'), render('docker/compose/services.yaml')],
    ]),
  };
}

function addManifest(text, plural, pluralName) {
  const imports = /((?:import \{ .* \} from '\.\/modules\/.*';\n)+)/;
  const list = /(MANIFESTS: readonly ModuleManifest\[\] = \[)([^\]]*?),?\s*\];/;
  if (!imports.test(text) || !list.test(text)) throw new Error(`${MODULES} has no list of manifests to add to.`);
  const line = `import { ${pluralName} } from './modules/${plural}/${plural}.manifest.js';\n`;
  return text
    .replace(imports, (lines) => `${[...lines.trimEnd().split('\n'), line.trimEnd()].sort().join('\n')}\n`)
    .replace(list, (_, begin, names) => `${begin}${names}, ${pluralName}];`);
}

/** The place behind the last entry of a list or map, by its path in a YAML document. */
const endOf =
  (...path) =>
  (document) =>
    document.getIn(path, true)?.range?.[1];

/** The beginning of the line with this key of a map. */
const beforeKey =
  (key, ...path) =>
  (document, text) => {
    const map = document.getIn(path, true);
    const pair = isMap(map) ? map.items.find((item) => item.key.value === key) : undefined;
    return pair && text.lastIndexOf('\n', pair.key.range[0]) + 1;
  };

/** The text is kept as it is, with its comments and anchors: nothing is written that wasn't inserted. */
function insertInto(file, insertions) {
  const text = readFileSync(file, 'utf8');
  const document = parseDocument(text, { merge: true });
  const places = insertions.map(([placeIn, added]) => [placeIn(document, text), added]);
  if (places.some(([place]) => place === undefined || text[place - 1] !== '\n')) {
    throw new Error(`${file} hasn't got the places where a module is added.`);
  }
  // From the last one on, so that the places before stay true.
  return places
    .sort(([one], [other]) => other - one)
    .reduce((edited, [place, added]) => edited.slice(0, place) + added + edited.slice(place), text);
}
