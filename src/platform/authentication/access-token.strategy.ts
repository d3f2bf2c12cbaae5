import { Injectable } from '@nestjs/common';
import { PassportStrategy } from '@nestjs/passport';
import { ExtractJwt, Strategy } from 'passport-jwt';
import type { SessionPrincipal } from '../../common/auth/principal.js';
import { Environment } from '../../config/environment.js';
import type { Role } from '../../contracts/role.js';
import { Revocations } from '../revocation/revocations.js';
import { keyIdOf, SIGNING_ALGORITHM, SigningKeys } from './signing-keys.js';

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

/** Verifies `Authorization: Bearer`: signature, issuer, audience, time, and that the session hasn't ended. */
@Injectable()
export class AccessTokenStrategy extends PassportStrategy(Strategy, 'access-token') {
  constructor(
    keys: SigningKeys,
    environment: Environment,
    private readonly revocations: Revocations,
  ) {
    super({
      jwtFromRequest: ExtractJwt.fromAuthHeaderAsBearerToken(),
      algorithms: [SIGNING_ALGORITHM],
      issuer: environment.JWT_ISSUER,
      audience: environment.JWT_AUDIENCE,
      secretOrKeyProvider: (_request: unknown, token: string, done: (error: unknown, key?: string) => void) => {
        const key = keys.find(keyIdOf(token));
        if (!key) return done(new Error('signed with an unknown key'));
        done(null, key.publicKey as unknown as string);
      },
    });
  }

  /** @returns null where the session has ended */
  async validate({ sub, sid, role, iat }: AccessTokenClaims): Promise<SessionPrincipal | null> {
    const revoked = await this.revocations.isRevoked({ userId: sub, sessionId: sid, issuedAt: iat });
    return revoked ? null : { userId: sub, sessionId: sid, role };
  }
}
