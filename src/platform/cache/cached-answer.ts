import { sha256 } from '../../common/crypto/digest.js';
import { databaseNow } from '../database/database-clock.js';

const NEWLINE = 0x0a;
/** Characters of the digest that is the tag, in base64url: enough to distinguish the bodies of one route. */
const TAG_LENGTH = 22;

/** What a cached route answers: bytes that go out as they are. */
export interface Answer {
  body: Buffer;
  /** A strong entity tag, with its quotes. */
  etag: string;
}

/** The stored form: a line with the expiry (milliseconds since 1970; 0 for none) and the entity tag, then the body. */
export function encodeAnswer({ body, etag }: Answer, expiresAt: number): Buffer {
  return Buffer.concat([Buffer.from(`${expiresAt} ${etag}\n`), body]);
}

/** @returns null where it has expired */
export function decodeAnswer(entry: Buffer): Answer | null {
  const end = entry.indexOf(NEWLINE);
  const [expiresAt = '', etag = ''] = entry.toString('latin1', 0, end).split(' ');
  if (expiresAt !== '0' && databaseNow() >= Number(expiresAt)) return null;
  return { body: entry.subarray(end + 1), etag };
}

/** The tag of a body that has no version of its own. */
export function tagOf(body: Buffer): string {
  return `"${sha256(body).slice(0, TAG_LENGTH)}"`;
}
