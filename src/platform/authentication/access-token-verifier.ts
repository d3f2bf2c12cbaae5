import { Injectable } from '@nestjs/common';
import { JsonWebTokenError, JwtService, TokenExpiredError } from '@nestjs/jwt';
import { LRUCache } from 'lru-cache';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import type { Role } from '../../contracts/role.js';
import { databaseNow } from '../database/database-clock.js';
import { headerOf, SIGNING_ALGORITHM, SigningKeys } from './signing-keys.js';

/** `typ` of the header of an access token (RFC 9068, 2.1). */
export const ACCESS_TOKEN_TYPE = 'at+jwt';

/** What `typ` of the header may be, without regard to case; `JWT` is what the previous release wrote. */
const TYPES = [ACCESS_TOKEN_TYPE, `application/${ACCESS_TOKEN_TYPE}`, 'jwt'];

/** Clients send the same token with every request; verifying a signature is slow, and its result doesn't change. */
const REMEMBERED_TOKENS = 10_000;

/** The claims of an access token; `iat` and `exp` in seconds. */
export interface AccessTokenClaims {
  sub: string;
  sid: string;
  role: Role;
  iat: number;
  exp: number;
  iss: string;
  aud: string;
}

/**
 * Verifies access tokens: type, signature, issuer, audience and time. Whether the session is still valid is
 * `Revocations`' part, at each use.
 */
@Injectable()
export class AccessTokenVerifier {
  private readonly jwt: JwtService;
  private readonly verified = new LRUCache<string, AccessTokenClaims>({ max: REMEMBERED_TOKENS });

  constructor(keys: SigningKeys, { JWT_ISSUER: issuer, JWT_AUDIENCE: audience }: AuthEnvironment) {
    this.jwt = new JwtService({
      verifyOptions: { algorithms: [SIGNING_ALGORITHM], issuer, audience },
      secretOrKeyProvider: (_request, token) => {
        const { kid, typ } = headerOf(token as string);
        if (!TYPES.includes(String(typ).toLowerCase())) throw new JsonWebTokenError('another kind of token');
        const key = keys.find(kid);
        if (!key) throw new JsonWebTokenError('signed with an unknown key');
        return key.publicKey;
      },
    });
  }

  /** @returns its claims; or that it has expired, or that it isn't a token of this service */
  verify(token: string): AccessTokenClaims | 'expired' | 'invalid' {
    const known = this.verified.get(token);
    if (known) return databaseNow() < known.exp * 1000 ? known : 'expired';
    try {
      const claims = this.jwt.verify<AccessTokenClaims>(token, { clockTimestamp: Math.floor(databaseNow() / 1000) });
      this.verified.set(token, claims);
      return claims;
    } catch (error) {
      return error instanceof TokenExpiredError ? 'expired' : 'invalid';
    }
  }

  /** The session of a token that `verify` has accepted, or rejected as expired. */
  sessionIdOf(token: string): string {
    return this.jwt.decode<AccessTokenClaims>(token).sid;
  }
}
