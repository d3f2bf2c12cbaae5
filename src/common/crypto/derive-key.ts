import { hkdfSync } from 'node:crypto';
import type { KeyPurpose } from '../../config/key-purposes.js';

/** The key of a purpose, 32 bytes: HKDF (RFC 5869) with SHA-256, no salt, and the purpose as info. */
export function deriveKey(secret: string, purpose: KeyPurpose): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', purpose, 32));
}
