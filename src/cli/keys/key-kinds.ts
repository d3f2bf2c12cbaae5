import { createPrivateKey, createPublicKey, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto';
import { sha256 } from '../../common/crypto/digest.js';
import { deriveKey } from '../../common/crypto/derive-key.js';
import { purposesOf } from '../../config/key-purposes.js';
import { toList, toPemList } from '../../config/parse.js';
import { isSecret, isSigningKey } from '../../config/rules.js';

const SECRET_BYTES = 48;
const FINGERPRINT_BYTES = 6;

/** A variable that holds several keys, of which the first makes and all read. */
export interface KeyKind {
  variable: 'JWT_PRIVATE_KEYS' | 'APP_SECRETS';
  split(value: string): string[];
  join(keys: string[]): string;
  make(): string;
  isUsable(key: string): boolean;
  /** Names a key without giving it away. */
  idOf(key: string): string;
  /** The part of a key that verifies and can't make anything; missing where there is none. */
  publicPartOf?(key: string): string;
  /** What processes that serve these modules need of a key, as the entries of `APP_KEYS`; missing where it is all of it. */
  derive?(key: string, modules: readonly string[]): string[];
}

/** The id is the `kid` in the tokens and in `/.well-known/jwks.json` (RFC 7638). */
const JWT: KeyKind = {
  variable: 'JWT_PRIVATE_KEYS',
  split: (value) => toPemList({ value }) as string[],
  join: (keys) => keys.join('\n'),
  make: () =>
    generateKeyPairSync('ec', {
      namedCurve: 'P-256',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    }).privateKey.trimEnd(),
  isUsable: isSigningKey,
  publicPartOf: (pem) =>
    String(createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' })).trimEnd(),
  idOf(pem) {
    const { crv, kty, x, y } = createPublicKey(createPrivateKey(pem)).export({ format: 'jwk' });
    return sha256(JSON.stringify({ crv, kty, x, y }));
  },
};

/** The id is a fingerprint of its own (HKDF, RFC 5869): it tells nothing about the keys derived from the secret. */
const APP_SECRET: KeyKind = {
  variable: 'APP_SECRETS',
  split: (value) => toList({ value }) as string[],
  join: (keys) => keys.join(','),
  make: () => randomBytes(SECRET_BYTES).toString('base64url'),
  isUsable: isSecret,
  idOf: (secret) => Buffer.from(hkdfSync('sha256', secret, '', 'fingerprint', FINGERPRINT_BYTES)).toString('hex'),
  derive: (secret, modules) =>
    purposesOf(modules).map((purpose) => `${purpose}:${deriveKey(secret, purpose).toString('base64url')}`),
};

export const KEY_KINDS = { jwt: JWT, 'app-secret': APP_SECRET } as const satisfies Record<string, KeyKind>;
