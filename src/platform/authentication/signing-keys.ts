import { createHash, createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Environment } from '../../config/environment.js';

/** RFC 7518, 3.4: ECDSA over P-256 with SHA-256. */
export const SIGNING_ALGORITHM = 'ES256';

export interface SigningKey {
  /** RFC 7638 thumbprint: the same on every instance that has the key. */
  id: string;
  privateKey: KeyObject;
  publicKey: KeyObject;
  jwk: JsonWebKey;
}

/** The keys of `JWT_PRIVATE_KEYS`: the first signs, all verify, so keys rotate without a log-out. */
@Injectable()
export class SigningKeys {
  private readonly keys: Map<string, SigningKey>;
  readonly current: SigningKey;

  constructor(environment: Environment) {
    const keys = environment.JWT_PRIVATE_KEYS.map(toSigningKey);
    this.keys = new Map(keys.map((key) => [key.id, key]));
    this.current = keys[0] as SigningKey;
  }

  find(id: string | undefined): SigningKey | undefined {
    return id === undefined ? undefined : this.keys.get(id);
  }

  /** The public keys as a JWK Set (RFC 7517). */
  toJwks(): { keys: JsonWebKey[] } {
    return {
      keys: [...this.keys.values()].map(({ id, jwk }) => ({ ...jwk, kid: id, use: 'sig', alg: SIGNING_ALGORITHM })),
    };
  }
}

function toSigningKey(pem: string): SigningKey {
  const privateKey = createPrivateKey(pem);
  const publicKey = createPublicKey(privateKey);
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  const id = createHash('sha256').update(JSON.stringify(jwk)).digest('base64url');
  return { id, privateKey, publicKey, jwk };
}

/** Which key a token says it was signed with, and what it says it is (RFC 7515, 4.1.4 and 4.1.9). */
export function headerOf(token: string): { kid?: string; typ?: string } {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    const { kid, typ } = (header ?? {}) as { kid?: unknown; typ?: unknown };
    return { ...(typeof kid === 'string' && { kid }), ...(typeof typ === 'string' && { typ }) };
  } catch {
    return {}; // not a JWT: refused as signed with an unknown key
  }
}
