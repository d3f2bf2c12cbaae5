import { createCipheriv, createDecipheriv, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { KeysEnvironment } from '../../config/areas/keys.environment.js';
import type { KeyPurpose } from '../../config/key-purposes.js';
import { deriveKey } from './derive-key.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;
/** Begins a bound ciphertext; no character of base64url is a dot. Without it: not bound, as all of earlier releases. */
const BOUND = 'v2.';

/** Whose value a ciphertext holds, and which one. It can be decrypted for these two alone. */
export interface Binding {
  /** A user's id. */
  owner: string;
  /** What the value is; unique among all that is encrypted for the same purpose and owner. */
  field: string;
}

/**
 * Encrypts and signs with keys of `APP_KEYS`, or derived from `APP_SECRETS`: the first makes, all are tried when
 * reading, so a new one can be put first and the old one retired later without breaking what is in circulation. Each
 * purpose has keys of its own, so nothing made for one is accepted for another.
 */
@Injectable()
export class SecretBox {
  private readonly keys = new Map<KeyPurpose, Buffer[]>();

  constructor(
    @Inject(KeysEnvironment) private readonly environment: Pick<KeysEnvironment, 'APP_KEYS' | 'APP_SECRETS'>,
  ) {
    if (environment.APP_KEYS && environment.APP_SECRETS) {
      new Logger(SecretBox.name).warn('APP_SECRETS is not needed here, as APP_KEYS is set: leave it out');
    }
  }

  /**
   * AES-256-GCM, with the binding as additional authenticated data.
   *
   * @param binding of what is stored; left out for what only passes through
   * @returns base64url text; bound text has a version in front, `v2.`
   */
  encrypt(purpose: KeyPurpose, plaintext: string, binding?: Binding): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.currentKey(purpose), iv);
    if (binding) cipher.setAAD(authenticatedData(purpose, binding));
    const bytes = Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${binding ? BOUND : ''}${bytes.toString('base64url')}`;
  }

  /**
   * Text that isn't bound, which earlier releases stored, is decrypted whatever the binding.
   *
   * @returns null for what wasn't encrypted for this purpose and binding with one of the secrets
   */
  decrypt(purpose: KeyPurpose, sealed: string, binding?: Binding): string | null {
    return openWith(this.keysOf(purpose), purpose, sealed, binding);
  }

  /**
   * The same, encrypted with the first secret, and bound where a binding is given.
   *
   * @returns null for what can't be decrypted, and what is like that already
   */
  reencrypt(purpose: KeyPurpose, sealed: string, binding?: Binding): string | null {
    const isOfForm = sealed.startsWith(BOUND) === (binding !== undefined);
    if (isOfForm && openWith([this.currentKey(purpose)], purpose, sealed, binding) !== null) return null;
    const plaintext = this.decrypt(purpose, sealed, binding);
    return plaintext === null ? null : this.encrypt(purpose, plaintext, binding);
  }

  /** HMAC-SHA-256 in base64url, by the first secret. */
  sign(purpose: KeyPurpose, text: string): string {
    return createHmac('sha256', this.currentKey(purpose)).update(text).digest('base64url');
  }

  /** Whether one of the secrets made this signature; takes the same time for a near miss as for a far one. */
  verify(purpose: KeyPurpose, text: string, signature: string): boolean {
    const given = Buffer.from(signature);
    return this.keysOf(purpose).some((key) => {
      const expected = Buffer.from(createHmac('sha256', key).update(text).digest('base64url'));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
  }

  /** @throws Error where `APP_KEYS` has no key for the purpose: the modules served here were not to need one */
  private currentKey(purpose: KeyPurpose): Buffer {
    const [first] = this.keysOf(purpose);
    if (!first) throw new Error(`APP_KEYS has no key for ${purpose}`);
    return first;
  }

  private keysOf(purpose: KeyPurpose): Buffer[] {
    let keys = this.keys.get(purpose);
    if (!keys) {
      const { APP_KEYS: given, APP_SECRETS: secrets = [] } = this.environment;
      keys = given ? keysIn(given, purpose) : secrets.map((secret) => deriveKey(secret, purpose));
      this.keys.set(purpose, keys);
    }
    return keys;
  }
}

/** @param entries `<purpose>:<key in base64url>` */
function keysIn(entries: readonly string[], purpose: KeyPurpose): Buffer[] {
  const prefix = `${purpose}:`;
  return entries
    .filter((entry) => entry.startsWith(prefix))
    .map((entry) => Buffer.from(entry.slice(prefix.length), 'base64url'));
}

function openWith(keys: Buffer[], purpose: KeyPurpose, sealed: string, binding?: Binding): string | null {
  const isBound = sealed.startsWith(BOUND);
  if (isBound && !binding) return null;
  const bytes = Buffer.from(isBound ? sealed.slice(BOUND.length) : sealed, 'base64url');
  const data = isBound && binding ? authenticatedData(purpose, binding) : undefined;
  for (const key of keys) {
    const plaintext = open(key, bytes, data);
    if (plaintext !== null) return plaintext;
  }
  return null;
}

function open(key: Buffer, bytes: Buffer, data?: Buffer): string | null {
  if (bytes.length < IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
  if (data) decipher.setAAD(data);
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return null; // GCM's way of saying: another key or binding, or tampered with
  }
}

/** As JSON, so that no two bindings give the same bytes. */
function authenticatedData(purpose: KeyPurpose, { owner, field }: Binding): Buffer {
  return Buffer.from(JSON.stringify([BOUND, purpose, owner, field]));
}
