import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { AuthenticatedRequest, Principal } from '../../common/auth/principal.js';
import { UnauthenticatedError } from '../../common/errors/problem.js';
import { requestContext } from '../../common/http/request-context.js';
import { Revocations } from '../revocation/revocations.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { ApiKeys } from './api-keys.js';

/** RFC 6750: an access token or an API key. */
const BEARER = /^Bearer +(\S+)$/i;
const API_KEY = /^sak_/;

/**
 * Finds out who is asking, and turns nobody away: the rate limit, which needs to know, comes next, and only then does
 * the authorization guard refuse. So guesses at tokens are limited like everything else.
 */
@Injectable()
export class AuthenticationGuard implements CanActivate {
  constructor(
    private readonly accessTokens: AccessTokenVerifier,
    private readonly apiKeys: ApiKeys,
    private readonly revocations: Revocations,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const [, credential] = BEARER.exec(request.headers.authorization ?? '') ?? [];
    const principal = credential === undefined ? null : await this.principalOf(credential);
    if (principal === null || principal === 'expired') {
      request.authenticationError = new UnauthenticatedError(principal ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED');
      return true;
    }
    request.user = principal;
    const store = requestContext.getStore();
    if (store) store.userId = principal.userId;
    return true;
  }

  private async principalOf(credential: string): Promise<Principal | 'expired' | null> {
    if (API_KEY.test(credential)) return await this.apiKeys.verify(credential);
    const claims = this.accessTokens.verify(credential);
    if (claims === 'invalid') return null;
    if (claims === 'expired') return claims;
    const { sub: userId, sid: sessionId, role, iat: issuedAt } = claims;
    return (await this.revocations.isRevoked({ userId, sessionId, issuedAt })) ? null : { userId, sessionId, role };
  }
}
