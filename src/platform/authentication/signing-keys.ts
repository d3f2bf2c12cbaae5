import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { sha256 } from '../../common/crypto/digest.js';
import { KeysEnvironment } from '../../config/areas/keys.environment.js';
import { ProcessEnvironment } from '../../config/areas/process.environment.js';

/** RFC 7518, 3.4: ECDSA over P-256 with SHA-256. */
export const SIGNING_ALGORITHM = 'ES256';

export interface VerificationKey {
  /** RFC 7638 thumbprint: the same on every instance that has the key. */
  id: string;
  publicKey: KeyObject;
  jwk: JsonWebKey;
}

export interface SigningKey extends VerificationKey {
  privateKey: KeyObject;
}

/**
 * The keys of access tokens. Processes that serve auth have `JWT_PRIVATE_KEYS`: the first signs, all verify, so keys rotate
 * without a log-out. The others verify with `JWT_PUBLIC_KEYS`, and can't sign.
 */
@Injectable()
export class SigningKeys {
  private readonly keys: Map<string, VerificationKey>;
  private readonly first?: SigningKey;

  constructor(
    { JWT_PRIVATE_KEYS: privatePems = [], JWT_PUBLIC_KEYS: publicPems = [] }: KeysEnvironment,
    { MODULES: served }: ProcessEnvironment,
  ) {
    const signing = privatePems.map(toSigningKey);
    const keys = [...signing, ...publicPems.map((pem) => toVerificationKey(createPublicKey(pem)))];
    this.keys = new Map(keys.map((key) => [key.id, key]));
    this.first = signing[0];
    if (this.first && !served.includes('auth')) {
      new Logger(SigningKeys.name).warn(
        'JWT_PRIVATE_KEYS is not needed here, as this process does not serve auth: set JWT_PUBLIC_KEYS instead',
      );
    }
  }

  /** @throws Error in a process that has no private key: the configuration gives one to all that serve auth */
  get current(): SigningKey {
    if (!this.first) throw new Error('this process has no key to sign access tokens with');
    return this.first;
  }

  find(id: string | undefined): VerificationKey | undefined {
    return id === undefined ? undefined : this.keys.get(id);
  }

  /** The ids of all keys of this process, those that only verify included. */
  get ids(): string[] {
    return [...this.keys.keys()];
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
  return { ...toVerificationKey(createPublicKey(privateKey)), privateKey };
}

function toVerificationKey(publicKey: KeyObject): VerificationKey {
  const { crv, kty, x, y } = publicKey.export({ format: 'jwk' });
  const jwk = { crv, kty, x, y };
  const id = sha256(JSON.stringify(jwk));
  return { id, publicKey, jwk };
}

/** The claimed key and type of a token, from its header (RFC 7515, 4.1.4 and 4.1.9). */
export function headerOf(token: string): { kid?: string; typ?: string } {
  try {
    const header: unknown = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString());
    const { kid, typ } = (header ?? {}) as { kid?: unknown; typ?: unknown };
    return { ...(typeof kid === 'string' && { kid }), ...(typeof typ === 'string' && { typ }) };
  } catch {
    return {}; // not a JWT: refused as signed with an unknown key
  }
}
