import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Environment } from '../../config/environment.js';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypts and signs with `APP_SECRETS`: the first secret makes, all are tried when reading, so a new one can be put
 * first and the old one retired later without breaking what is in circulation. Each purpose has keys of its own
 * (HKDF, RFC 5869), so nothing made for one is accepted for another.
 */
@Injectable()
export class SecretBox {
  private readonly keys = new Map<string, Buffer[]>();

  constructor(private readonly environment: Environment) {}

  /** AES-256-GCM; gives base64url text. */
  encrypt(purpose: string, plaintext: string): string {
    const iv = randomBytes(IV_BYTES);
    const cipher = createCipheriv('aes-256-gcm', this.currentKey(purpose), iv);
    return Buffer.concat([iv, cipher.update(plaintext, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString(
      'base64url',
    );
  }

  /** @returns null for what wasn't encrypted for this purpose with one of the secrets */
  decrypt(purpose: string, sealed: string): string | null {
    const bytes = Buffer.from(sealed, 'base64url');
    for (const key of this.keysOf(purpose)) {
      const plaintext = open(key, bytes);
      if (plaintext !== null) return plaintext;
    }
    return null;
  }

  /** The same, encrypted with the first secret; null for what can't be decrypted, and what is by the first already. */
  reencrypt(purpose: string, sealed: string): string | null {
    if (open(this.currentKey(purpose), Buffer.from(sealed, 'base64url')) !== null) return null;
    const plaintext = this.decrypt(purpose, sealed);
    return plaintext === null ? null : this.encrypt(purpose, plaintext);
  }

  /** HMAC-SHA-256 in base64url, by the first secret. */
  sign(purpose: string, text: string): string {
    return createHmac('sha256', this.currentKey(purpose)).update(text).digest('base64url');
  }

  /** Whether one of the secrets made this signature; takes the same time for a near miss as for a far one. */
  verify(purpose: string, text: string, signature: string): boolean {
    const given = Buffer.from(signature);
    return this.keysOf(purpose).some((key) => {
      const expected = Buffer.from(createHmac('sha256', key).update(text).digest('base64url'));
      return expected.length === given.length && timingSafeEqual(expected, given);
    });
  }

  private currentKey(purpose: string): Buffer {
    return this.keysOf(purpose)[0] as Buffer;
  }

  private keysOf(purpose: string): Buffer[] {
    let keys = this.keys.get(purpose);
    if (!keys) {
      keys = this.environment.APP_SECRETS.map((secret) => Buffer.from(hkdfSync('sha256', secret, '', purpose, 32)));
      this.keys.set(purpose, keys);
    }
    return keys;
  }
}

function open(key: Buffer, bytes: Buffer): string | null {
  if (bytes.length < IV_BYTES + TAG_BYTES) return null;
  const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(0, IV_BYTES));
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return null; // GCM's way of saying: another key, or tampered with
  }
}
