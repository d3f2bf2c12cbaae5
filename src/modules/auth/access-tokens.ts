import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import type { Types } from 'mongoose';
import { Environment } from '../../config/environment.js';
import { NewestTokens } from '../../platform/authentication/newest-tokens.js';
import { ACCESS_TOKEN_TYPE } from '../../platform/authentication/access-token-verifier.js';
import { SIGNING_ALGORITHM, SigningKeys } from '../../platform/authentication/signing-keys.js';
import type { Account } from './schemas/account.schema.js';

/** Makes access tokens: JWTs that everybody can verify with `/.well-known/jwks.json`. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly newestTokens: NewestTokens,
    private readonly environment: Environment,
  ) {}

  /**
   * A token's time is told in whole seconds, so after its account's tokens were ended (`tokensValidFrom`) this waits,
   * two seconds at most, until a new one can be told from the old ones.
   */
  async issue({ _id, role, tokensValidFrom }: Account, session: Types.ObjectId): Promise<string> {
    const validFrom = tokensValidFrom?.getTime() ?? 0;
    const wait = validFrom - Date.now();
    if (wait > 0) await delay(wait);
    // Timers may be up to a millisecond early, and a second told too low would make it one of the old ones.
    const iat = Math.floor(Math.max(Date.now(), validFrom) / 1000);
    this.newestTokens.record(String(session), iat + this.environment.ACCESS_TOKEN_TTL_SECONDS);
    return this.jwt.sign(
      { sid: String(session), role, iat },
      {
        algorithm: SIGNING_ALGORITHM,
        privateKey: this.keys.current.privateKey as unknown as string,
        keyid: this.keys.current.id,
        header: { alg: SIGNING_ALGORITHM, typ: ACCESS_TOKEN_TYPE },
        subject: String(_id),
        issuer: this.environment.JWT_ISSUER,
        audience: this.environment.JWT_AUDIENCE,
        expiresIn: this.environment.ACCESS_TOKEN_TTL_SECONDS,
      },
    );
  }
}
