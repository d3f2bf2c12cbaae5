import { hash } from 'node:crypto';

/** SHA-256, as 43 characters of base64url. */
export function sha256(content: string | Buffer): string {
  return hash('sha256', content, 'base64url');
}

/** The first bytes of SHA-256 that an id in MongoDB takes: the same text always has the same id. */
export function objectIdBytes(text: string): Buffer {
  return hash('sha256', text, 'buffer').subarray(0, 12);
}
