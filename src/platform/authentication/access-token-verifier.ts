import { Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Environment } from '../../config/environment.js';
import type { IssuedToken } from '../revocation/revocations.js';
import type { AccessTokenClaims } from './access-token.strategy.js';
import { keyIdOf, SIGNING_ALGORITHM, SigningKeys } from './signing-keys.js';

/** Verifies access tokens that come by another way than a header. Whether the session goes on is `Revocations`' to say. */
@Injectable()
export class AccessTokenVerifier {
  private readonly jwt = new JwtService();

  constructor(
    private readonly keys: SigningKeys,
    private readonly environment: Environment,
  ) {}

  /** @returns null for anything but a token of ours that counts now */
  async verify(token: string): Promise<IssuedToken | null> {
    const key = this.keys.find(keyIdOf(token));
    if (!key) return null;
    try {
      const { sub, sid, iat } = await this.jwt.verifyAsync<AccessTokenClaims>(token, {
        publicKey: key.publicKey as unknown as string,
        algorithms: [SIGNING_ALGORITHM],
        issuer: this.environment.JWT_ISSUER,
        audience: this.environment.JWT_AUDIENCE,
      });
      return { userId: sub, sessionId: sid, issuedAt: iat };
    } catch {
      return null; // forged, expired, or meant for somebody else
    }
  }
}
