import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const TYPES = { css: 'text/css', js: 'text/javascript' };
const HASH_LENGTH = 16;

/** A file that pages load; the same for everybody. */
export interface StaticFile {
  /** With the hash of its content in it, so that what is at this name never changes: `page.0123456789abcdef.css`. */
  readonly hashedName: string;
  readonly etag: string;
  readonly contentType: string;
  readonly content: Buffer;
}

/** All that pages load, by the name without the hash. Here and not in modules: any process may be asked for any of it. */
const FILES = new Map((['page.css', 'page.js'] as const).map((name) => [name, read(name)]));
export type StaticFileName = typeof FILES extends Map<infer Name, unknown> ? Name : never;

function read(name: `${string}.${keyof typeof TYPES}`): StaticFile {
  const content = readFileSync(new URL(`./${name}`, import.meta.url));
  const hash = createHash('sha256').update(content).digest('hex').slice(0, HASH_LENGTH);
  const [stem, extension] = name.split('.') as [string, keyof typeof TYPES];
  return {
    hashedName: `${stem}.${hash}.${extension}`,
    etag: `"${hash}"`,
    contentType: `${TYPES[extension]}; charset=utf-8`,
    content,
  };
}

/**
 * Where pages find it: relative, so that it also works under a path of `PUBLIC_URL`.
 *
 * @param depth how many folders the page is below that path
 */
export function staticUrl(name: StaticFileName, depth = 0): string {
  return `${'../'.repeat(depth)}static/${FILES.get(name)!.hashedName}`;
}

/** @returns the file that has this name, with any hash or none; undefined where none has */
export function findStaticFile(name: string): StaticFile | undefined {
  return FILES.get(name.replace(/\.[0-9a-f]{16}(?=\.\w+$)/, '') as StaticFileName);
}
