import { sha256 } from '../../common/crypto/digest.js';

/** SHA-256 of the parts in their order, base64url. */
export function digest(...parts: string[]): string {
  return sha256(JSON.stringify(parts));
}

/** Equal for two bodies with the same content: the order of members and white space make no difference. */
export function fingerprintOf(body: unknown): string {
  return digest(JSON.stringify(sorted(body)) ?? '');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  // As pairs beside a mark: an object's own order puts members like "1" first, and `__proto__` nowhere.
  return { members: members.map(([name, member]) => [name, sorted(member)]) };
}
