import { sha256 } from '../../common/crypto/digest.js';
import { databaseNow } from '../database/database-clock.js';

const NEWLINE = 0x0a;
/** Bytes of a digest that tells bodies of one question apart, in base64url. */
const TAG_LENGTH = 22;

/** What a cached route answers: bytes that go out as they are. */
export interface Answer {
  body: Buffer;
  /** A strong entity tag, with its quotes. */
  etag: string;
}

/** As it lies in Redis: one line with the end of its life (milliseconds, 0 for none of its own) and the tag, then the body. */
export function encodeAnswer({ body, etag }: Answer, expiresAt: number): Buffer {
  return Buffer.concat([Buffer.from(`${expiresAt} ${etag}\n`), body]);
}

/** @returns null where its life has ended */
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
