import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const TEMPLATES = fileURLToPath(new URL('templates', import.meta.url));
const INSERTIONS = fileURLToPath(new URL('insertions', import.meta.url));
const SUFFIX = '.template';
const PLACEHOLDER = /__([A-Za-z]+(?: words)?)__/g;

/** The text with every placeholder replaced. @throws Error for an unknown placeholder */
function render(text, names) {
  return text.replace(PLACEHOLDER, (placeholder, name) => {
    if (names[name] === undefined) throw new Error(`A template has the unknown placeholder ${placeholder}.`);
    return names[name];
  });
}

function templates() {
  return readdirSync(TEMPLATES, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => ({
      path: file.slice(0, -SUFFIX.length).split(sep).join('/'),
      text: readFileSync(join(TEMPLATES, file), 'utf8'),
    }));
}

/** @param names what the placeholders stand for @returns the files of the module: their contents by path */
export function newFiles(names) {
  return Object.fromEntries(templates().map(({ path, text }) => [render(path, names), render(text, names)]));
}

/** @param file in `insertions/`, e.g. `docs/asyncapi/tag.yaml` @returns text to be inserted into another file */
export function renderInsertion(file, names) {
  return render(readFileSync(join(INSERTIONS, `${file}${SUFFIX}`), 'utf8'), names);
}

/** Names that the templates import: a class of the module that has one of them would hide it. */
export function importedNames() {
  const lists = templates().flatMap(({ text }) => [...text.matchAll(/^import (?:type )?\{([^}]*)\}/gm)]);
  return new Set(lists.flatMap(([, list]) => list.split(',').map((name) => name.replace('type ', '').trim())));
}
