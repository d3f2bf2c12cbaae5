#!/usr/bin/env node
/**
 * Writes what is derived from the modules' manifests (src/modules/*\/*.manifest.ts) into the files that can't read them:
 * types, and files of NGINX, Kubernetes, Prometheus and the documentation. Works on the folder it is started in.
 *
 *   node scripts/generate.mjs [--check]     --check writes nothing, and fails where something is outdated or missing
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { findOmissions } from './generate/omissions.mjs';
import { loadManifests, loadPlatformQueues } from './generate/load-manifests.mjs';
import { placesOf } from './generate/places.mjs';

const FORMATTED = /\.(ts|yaml|md)$/;
const BLOCK = /(^[^\n]*<generated>[^\n]*\n)([\s\S]*?)(^[^\n]*<\/generated>)/m;

/** The file's content with what belongs in this place. @throws Error where the place isn't there */
function fill({ file, pattern, block, whole }, content) {
  if (whole !== undefined) return whole;
  if (pattern && !pattern.test(content)) throw new Error(`${file} has no ${pattern} to be replaced.`);
  if (pattern) return content.replace(pattern, () => block);
  if (!BLOCK.test(content)) throw new Error(`${file} has no lines with <generated> and </generated> to write between.`);
  return content.replace(BLOCK, (_, begin, _old, end) => `${begin}${block.trimEnd()}\n${end}`);
}

async function complete(place) {
  const content = existsSync(place.file) ? readFileSync(place.file, 'utf8') : '';
  const filled = fill(place, content);
  if (!FORMATTED.test(place.file)) return { content, filled };
  return { content, filled: await format(filled, { ...(await resolveConfig(place.file)), filepath: place.file }) };
}

const isCheck = process.argv.includes('--check');
const manifests = await loadManifests();
const problems = findOmissions(manifests, await loadPlatformQueues());
for (const place of placesOf(manifests)) {
  const { content, filled } = await complete(place);
  if (content === filled) continue;
  if (isCheck) {
    problems.push(`${place.file} is outdated: run npm run generate.`);
    continue;
  }
  mkdirSync(dirname(place.file), { recursive: true });
  writeFileSync(place.file, filled);
  console.log(`wrote ${place.file}`);
}
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;
