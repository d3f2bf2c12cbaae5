import type { Environment } from '../../config/environment.js';
import { SecretBox } from './secret-box.js';

const boxOf = (...secrets: string[]) => new SecretBox({ APP_SECRETS: secrets } as unknown as Environment);
const box = boxOf('first secret');

/** Flips one bit of a base64url text at a byte position. */
function tampered(text: string, position: number): string {
  const bytes = Buffer.from(text, 'base64url');
  bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position);
  return bytes.toString('base64url');
}

describe('encrypt and decrypt', () => {
  it.each(['token', '', 'Schön 🎉', 'x'.repeat(10_000)])('give back %j', (text) => {
    expect(box.decrypt('one-time-token', box.encrypt('one-time-token', text))).toBe(text);
  });

  it('give another ciphertext each time, in characters that fit a URL', () => {
    const [one, other] = [box.encrypt('one-time-token', 'token'), box.encrypt('one-time-token', 'token')];
    expect(one).not.toBe(other);
    expect(one).toMatch(/^[\w-]+$/);
  });

  it('refuse what was made for another purpose', () => {
    expect(box.decrypt('cursor', box.encrypt('one-time-token', 'token'))).toBeNull();
  });

  it('refuse what was made with another secret', () => {
    expect(box.decrypt('one-time-token', boxOf('other secret').encrypt('one-time-token', 'token'))).toBeNull();
  });

  it('refuse what was tampered with, wherever', () => {
    const sealed = box.encrypt('one-time-token', 'token');
    const length = Buffer.from(sealed, 'base64url').length;
    const opened = Array.from({ length }, (_, position) => box.decrypt('one-time-token', tampered(sealed, position)));
    expect(opened).toEqual(Array(length).fill(null));
  });

  it.each(['', 'short', 'not base64url at all!', 'A'.repeat(1000)])('refuse %j', (text) => {
    expect(box.decrypt('one-time-token', text)).toBeNull();
  });

  it('go on reading what an older secret made, and make with the newest', () => {
    const rotated = boxOf('second secret', 'first secret');
    expect(rotated.decrypt('one-time-token', box.encrypt('one-time-token', 'token'))).toBe('token');
    expect(box.decrypt('one-time-token', rotated.encrypt('one-time-token', 'token'))).toBeNull();
  });
});

describe('sign and verify', () => {
  const signature = box.sign('cursor', 'text');

  it('know their own, for the same text and purpose alone', () => {
    expect(box.verify('cursor', 'text', signature)).toBe(true);
    expect(box.verify('cursor', 'other', signature)).toBe(false);
    expect(box.verify('one-time-token', 'text', signature)).toBe(false);
    expect(boxOf('other secret').verify('cursor', 'text', signature)).toBe(false);
  });

  it.each([
    '',
    'x',
    tampered(signature, 0),
    tampered(signature, 31),
    `${signature}A`,
    signature.slice(1),
    'é'.repeat(43),
  ])('refuse the signature %j', (given) => {
    expect(box.verify('cursor', 'text', given)).toBe(false);
  });

  it('go on knowing what an older secret signed', () => {
    expect(boxOf('second secret', 'first secret').verify('cursor', 'text', signature)).toBe(true);
  });
});
