import { sha256 } from '../../common/crypto/digest.js';

/** Few tags of a user's share a key, if ever any do. */
const KEY_LENGTH = 6;

/** A short key for each tag, with a space on either side: `" hR2fQ- 3kPx_1 "`. Small enough for an index, whatever the tags. */
export function tagKeysOf(tags: readonly string[]): string {
  return ` ${tags.map(keyOf).join(' ')} `;
}

/** Finds any of the tags in `tagKeysOf`. */
export function tagKeysPattern(tags: readonly string[]): RegExp {
  return new RegExp(` (${tags.map(keyOf).join('|')}) `);
}

function keyOf(tag: string): string {
  return sha256(tag).slice(0, KEY_LENGTH);
}
