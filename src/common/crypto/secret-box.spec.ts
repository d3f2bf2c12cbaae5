import { type Binding, SecretBox } from './secret-box.js';

const boxOf = (...secrets: string[]) => new SecretBox({ APP_SECRETS: secrets });
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

  it('decrypt what an older secret has encrypted, and encrypt with the newest', () => {
    const rotated = boxOf('second secret', 'first secret');
    expect(rotated.decrypt('one-time-token', box.encrypt('one-time-token', 'token'))).toBe('token');
    expect(box.decrypt('one-time-token', rotated.encrypt('one-time-token', 'token'))).toBeNull();
  });
});

describe('a binding', () => {
  const owner = { owner: 'ada', field: 'secret' };
  const bound = box.encrypt('mfa-secret', 'JBSWY3DP', owner);
  const unbound = box.encrypt('mfa-secret', 'JBSWY3DP');

  it('gives text with a version, which its owner and field decrypt', () => {
    expect(bound).toMatch(/^v2\.[\w-]+$/);
    expect(box.decrypt('mfa-secret', bound, owner)).toBe('JBSWY3DP');
  });

  it.each<[string, Binding | undefined]>([
    ['another owner', { owner: 'bob', field: 'secret' }],
    ['another field', { owner: 'ada', field: 'pending' }],
    ['an owner and field that give the same text together', { owner: 'adas', field: 'ecret' }],
    ['no binding', undefined],
  ])('refuses %s', (_, binding) => {
    expect(box.decrypt('mfa-secret', bound, binding)).toBeNull();
    expect(box.reencrypt('mfa-secret', bound, binding)).toBeNull();
  });

  it.each([
    ['without its version', bound.slice(3)],
    ['with another version', bound.replace('v2', 'v3')],
    ['with the version alone', 'v2.'],
    ['truncated', bound.slice(0, -1)],
    ['truncated in front', `v2.${bound.slice(4)}`],
    ['tampered with', `v2.${tampered(bound.slice(3), 14)}`],
    ['not bound, with a version put in front', `v2.${unbound}`],
  ])('refuses text %s', (_, text) => {
    expect(box.decrypt('mfa-secret', text, owner)).toBeNull();
  });

  it('is not asked of text of earlier releases', () => {
    expect(box.decrypt('mfa-secret', unbound, owner)).toBe('JBSWY3DP');
  });
});

describe('reencrypt', () => {
  const owner = { owner: 'ada', field: 'secret' };
  const rotated = boxOf('second secret', 'first secret');
  const newest = boxOf('second secret');

  it.each<[string, Binding | undefined, Binding | undefined]>([
    ['binds what is not bound', undefined, owner],
    ['keeps a binding', owner, owner],
    ['leaves unbound what is to stay so', undefined, undefined],
  ])('%s, with the newest secret, once', (_, before, after) => {
    const again = rotated.reencrypt('mfa-secret', box.encrypt('mfa-secret', 'JBSWY3DP', before), after);
    expect(again?.startsWith('v2.')).toBe(after !== undefined);
    expect(newest.decrypt('mfa-secret', again ?? '', after)).toBe('JBSWY3DP');
    expect(rotated.reencrypt('mfa-secret', again ?? '', after)).toBeNull();
  });

  it('binds what the newest secret has encrypted', () => {
    const again = box.reencrypt('mfa-secret', box.encrypt('mfa-secret', 'JBSWY3DP'), owner);
    expect(box.decrypt('mfa-secret', again ?? '', { ...owner, owner: 'bob' })).toBeNull();
    expect(box.decrypt('mfa-secret', again ?? '', owner)).toBe('JBSWY3DP');
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

  it('verify what an older secret has signed', () => {
    expect(boxOf('second secret', 'first secret').verify('cursor', 'text', signature)).toBe(true);
  });
});
