import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { AuthEnvironment } from '../../config/areas/auth.environment.js';
import { NewestTokens } from '../../platform/authentication/newest-tokens.js';
import { ACCESS_TOKEN_TYPE } from '../../platform/authentication/access-token-verifier.js';
import { SIGNING_ALGORITHM, SigningKeys } from '../../platform/authentication/signing-keys.js';
import { databaseNow } from '../../platform/database/database-clock.js';
import type { Account } from './schemas/account.schema.js';
import type { Session } from './schemas/session.schema.js';

export interface IssuedAccessToken {
  accessToken: string;
  /** Seconds until it expires. */
  expiresIn: number;
}

/** Makes access tokens: JWTs that any service can verify with `/.well-known/jwks.json`. */
@Injectable()
export class AccessTokens {
  constructor(
    private readonly jwt: JwtService,
    private readonly keys: SigningKeys,
    private readonly newestTokens: NewestTokens,
    private readonly environment: AuthEnvironment,
  ) {}

  /**
   * `iat` is in whole seconds. After the account's tokens were ended (`tokensValidFrom`), this waits, two seconds at most,
   * until the time of a new token differs from that of the ended ones. A token doesn't outlive its session.
   */
  async issue(
    { _id, role, tokensValidFrom }: Account,
    session: Pick<Session, '_id' | 'expiresAt'>,
  ): Promise<IssuedAccessToken> {
    const validFrom = tokensValidFrom?.getTime() ?? 0;
    const wait = validFrom - databaseNow();
    if (wait > 0) await delay(wait);
    // Timers may be a millisecond early, and a token with the second before would count as ended.
    const iat = Math.floor(Math.max(databaseNow(), validFrom) / 1000);
    const sessionSeconds = Math.max(1, Math.floor(session.expiresAt.getTime() / 1000) - iat);
    const expiresIn = Math.min(this.environment.ACCESS_TOKEN_TTL_SECONDS, sessionSeconds);
    const sid = String(session._id);
    this.newestTokens.record(sid, iat + expiresIn);
    const accessToken = this.jwt.sign(
      { sid, role, iat },
      {
        algorithm: SIGNING_ALGORITHM,
        privateKey: this.keys.current.privateKey as unknown as string,
        keyid: this.keys.current.id,
        header: { alg: SIGNING_ALGORITHM, typ: ACCESS_TOKEN_TYPE },
        subject: String(_id),
        issuer: this.environment.JWT_ISSUER,
        audience: this.environment.JWT_AUDIENCE,
        expiresIn,
      },
    );
    return { accessToken, expiresIn };
  }
}
