import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import type { Types } from 'mongoose';
import { Environment } from '../../config/environment.js';
import type { Role } from '../../contracts/role.js';
import { SIGNING_ALGORITHM, SigningKeys } from '../../platform/authentication/signing-keys.js';

/** Makes access tokens: JWTs that everybody can verify with `/.well-known/jwks.json`. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly environment: Environment,
  ) {}

  issue(user: Types.ObjectId, session: Types.ObjectId, role: Role): string {
    return this.jwt.sign(
      { sid: String(session), role },
      {
        algorithm: SIGNING_ALGORITHM,
        privateKey: this.keys.current.privateKey as unknown as string,
        keyid: this.keys.current.id,
        subject: String(user),
        issuer: this.environment.JWT_ISSUER,
        audience: this.environment.JWT_AUDIENCE,
        expiresIn: this.environment.ACCESS_TOKEN_TTL_SECONDS,
      },
    );
  }
}
