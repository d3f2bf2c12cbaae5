import type { IncomingHttpHeaders } from 'node:http';
import { VersionMismatchError } from '../errors/problem.js';

/** A list of entity tags (RFC 9110, 8.8.3), which may hold commas; `W/` in front of one is read, but not kept. */
const ENTITY_TAG = /(?:W\/)?("[\x21\x23-\x7e\x80-\xff]*")/;
const ENTITY_TAGS = new RegExp(`^[\\s,]*${ENTITY_TAG.source}(?:[ \\t]*,[\\s,]*${ENTITY_TAG.source})*[\\s,]*$`);

/** Something whose version is the entity tag. */
export interface HasVersion {
  version: number;
}

/** The strong ETag (RFC 9110, 8.8.3) of a single resource: its version. */
export function etagOf({ version }: HasVersion): string {
  return `"${version}"`;
}

/** Stands for the tag of a resource that has none: no header can name it, but `*` does. */
export const NO_ETAG = '';

/** The tags of a condition with their quotes, or `*`, which stands for every tag. */
type EntityTags = '*' | readonly string[];

/** What a request asks of the current state of its resource (RFC 9110, 13.1); `any` for one without conditions. */
export type Precondition = 'any' | { readonly ifMatch?: EntityTags; readonly ifNoneMatch?: EntityTags };

/**
 * Tags are compared as text. The `W/` that a compressing proxy puts before a tag is ignored. A header that is no list of
 * tags names none.
 */
function tagsIn(header: string): EntityTags {
  if (header.trim() === '*') return '*';
  if (!ENTITY_TAGS.test(header)) return [];
  return [...header.matchAll(new RegExp(ENTITY_TAG, 'g'))].map(([, tag]) => tag as string);
}

function names(tags: EntityTags, etag: string): boolean {
  return tags === '*' || tags.includes(etag);
}

/** The conditions in the header fields of a request. */
export function preconditionOf(headers: IncomingHttpHeaders): Precondition {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  if (ifMatch === undefined && ifNoneMatch === undefined) return 'any';
  return {
    ...(ifMatch === undefined ? {} : { ifMatch: tagsIn(ifMatch) }),
    ...(ifNoneMatch === undefined ? {} : { ifNoneMatch: tagsIn(ifNoneMatch) }),
  };
}

/**
 * Checks the conditions of a write.
 *
 * @param current the resource, or its entity tag
 * @throws VersionMismatchError where they exclude it
 */
export function assertMatches(precondition: Precondition, current: HasVersion | string): void {
  if (precondition === 'any') return;
  const etag = typeof current === 'string' ? current : etagOf(current);
  const { ifMatch, ifNoneMatch } = precondition;
  if (ifMatch !== undefined && !names(ifMatch, etag)) throw new VersionMismatchError();
  if (ifNoneMatch !== undefined && names(ifNoneMatch, etag)) {
    throw new VersionMismatchError('The resource is as If-None-Match says that it must not be.');
  }
}

/**
 * Evaluates the conditions of a read (RFC 9110, 13.2.2).
 *
 * @param etag the current tag, with its quotes
 * @returns whether the client has this state already: the answer is 304
 * @throws VersionMismatchError where `If-Match` excludes it
 */
export function isUnchanged(headers: IncomingHttpHeaders, etag: string): boolean {
  const precondition = preconditionOf(headers);
  if (precondition === 'any') return false;
  const { ifMatch, ifNoneMatch } = precondition;
  if (ifMatch !== undefined && !names(ifMatch, etag)) throw new VersionMismatchError();
  return ifNoneMatch !== undefined && names(ifNoneMatch, etag);
}
