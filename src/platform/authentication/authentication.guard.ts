import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedRequest, Principal } from '../../common/auth/principal.js';
import { UnauthenticatedError } from '../../common/errors/problem.js';
import { requestContext } from '../../common/http/request-context.js';

/**
 * Finds out who is asking, and turns nobody away: the rate limit, which needs to know, comes next, and only then does
 * the authorization guard refuse. So guesses at tokens are limited like everything else.
 */
@Injectable()
export class AuthenticationGuard extends AuthGuard('access-token') {
  override handleRequest<T = Principal>(
    error: unknown,
    principal: T | false | null,
    info: Error | undefined,
    context: ExecutionContext,
  ): T {
    if (error) throw error as Error;
    if (principal) {
      const store = requestContext.getStore();
      if (store) store.userId = (principal as unknown as Principal).userId;
      return principal;
    }
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    request.authenticationError = new UnauthenticatedError(
      info?.name === 'TokenExpiredError' ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED',
    );
    return undefined as T;
  }
}
