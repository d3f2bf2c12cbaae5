import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedRequest, Principal } from '../../common/auth/principal.js';
import { UnauthenticatedError } from '../../common/errors/problem.js';
import { requestContext } from '../../common/http/request-context.js';
import { ApiKeys } from './api-keys.js';

const API_KEY = /^Bearer (sak_\S+)$/i;

/**
 * Finds out who is asking, and turns nobody away: the rate limit, which needs to know, comes next, and only then does
 * the authorization guard refuse. So guesses at tokens are limited like everything else.
 */
@Injectable()
export class AuthenticationGuard extends AuthGuard('access-token') {
  constructor(private readonly apiKeys: ApiKeys) {
    super();
  }

  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const [, key] = API_KEY.exec(request.headers.authorization ?? '') ?? [];
    if (key === undefined) await super.canActivate(context);
    else this.accept(request, await this.apiKeys.verify(key));
    return true;
  }

  /** Passport's verdict on an access token. */
  override handleRequest<T = Principal>(
    error: unknown,
    principal: T | false | null,
    info: Error | undefined,
    context: ExecutionContext,
  ): T {
    if (error) throw error as Error;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    return this.accept(request, (principal || null) as Principal | null, info) as T;
  }

  private accept(request: AuthenticatedRequest, principal: Principal | null, info?: Error): Principal | undefined {
    request.user = principal ?? undefined;
    if (principal) {
      const context = requestContext.getStore();
      if (context) context.userId = principal.userId;
    } else {
      const expired = info?.name === 'TokenExpiredError';
      request.authenticationError = new UnauthenticatedError(expired ? 'TOKEN_EXPIRED' : 'UNAUTHENTICATED');
    }
    return request.user;
  }
}
