import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { AuthenticatedRequest, Principal } from '../../common/auth/principal.js';
import {
  AccountSuspendedError,
  BadAccessTokenError,
  type ProblemError,
  UnauthenticatedError,
} from '../../common/errors/problem.js';
import { requestContext } from '../../common/http/request-context.js';
import type { IssuedKey, IssuedToken } from '../revocation/known-endings.js';
import { Revocations } from '../revocation/revocations.js';
import { AccessTokenVerifier } from './access-token-verifier.js';
import { ApiKeys } from './api-keys.js';

interface Rejection {
  rejected: ProblemError;
  /** The session of a token of ours. */
  sessionId?: string;
}

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
    if (credential === undefined) {
      const isBearer = /^Bearer\b/i.test(request.headers.authorization ?? '');
      request.authenticationError = isBearer ? new BadAccessTokenError() : new UnauthenticatedError();
      return true;
    }
    const result = await this.identify(credential);
    if ('rejected' in result) {
      request.authenticationError = result.rejected;
      request.rejectedToken = { sessionId: result.sessionId };
      return true;
    }
    request.user = result;
    const store = requestContext.getStore();
    if (!store) return true;
    store.userId = result.userId;
    if ('apiKey' in result) store.apiKeyId = result.apiKey.id;
    return true;
  }

  private async identify(credential: string): Promise<Principal | Rejection> {
    if (API_KEY.test(credential)) {
      const principal = await this.apiKeys.verify(credential);
      if (!principal) return { rejected: new BadAccessTokenError() };
      return await this.current(principal, { userId: principal.userId, apiKeyId: principal.apiKey.id });
    }
    const claims = this.accessTokens.verify(credential);
    if (claims === 'invalid') return { rejected: new BadAccessTokenError() };
    if (claims === 'expired') {
      // The signature has been verified: only the time is over.
      const sessionId = this.accessTokens.sessionIdOf(credential);
      return { rejected: new BadAccessTokenError('TOKEN_EXPIRED'), sessionId };
    }
    const { sub: userId, sid: sessionId, role, iat: issuedAt } = claims;
    return await this.current({ userId, sessionId, role }, { userId, sessionId, issuedAt });
  }

  /** @returns the principal with the role that counts, unless the credential is revoked */
  private async current(principal: Principal, issued: IssuedToken | IssuedKey): Promise<Principal | Rejection> {
    const { userId, role } = principal;
    if (!(await this.revocations.isRevoked(issued))) {
      return { ...principal, role: this.revocations.effectiveRole(userId, role) };
    }
    const rejected = this.revocations.isSuspended(userId) ? new AccountSuspendedError() : new BadAccessTokenError();
    return { rejected, ...('sessionId' in issued && { sessionId: issued.sessionId }) };
  }
}
