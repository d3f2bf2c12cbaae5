import { type ExecutionContext, Injectable } from '@nestjs/common';
import { AuthGuard } from '@nestjs/passport';
import type { AuthenticatedRequest, Principal } from '../../common/auth/principal.js';
import { requestContext } from '../../common/http/request-context.js';
import type { Rejection } from './bearer.strategy.js';

/**
 * Identifies the caller and refuses nobody: the rate limit, which needs to know the caller, comes next, and the
 * authorization guard refuses after it. So guesses at tokens are limited like everything else.
 */
@Injectable()
export class AuthenticationGuard extends AuthGuard('bearer') {
  override async canActivate(context: ExecutionContext): Promise<boolean> {
    const { headers } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    // A request without credentials needs no strategy.
    if (headers.authorization === undefined) return true;
    return (await super.canActivate(context)) as boolean;
  }

  override handleRequest<TUser = Principal | undefined>(
    error: Error | null,
    principal: Principal | false,
    rejection: Rejection | undefined,
    context: ExecutionContext,
  ): TUser {
    if (error) throw error;
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    if (!principal) {
      request.authenticationError = rejection?.error;
      request.rejectedToken = rejection?.token;
      return undefined as TUser;
    }
    const store = requestContext.getStore();
    if (store) {
      store.userId = principal.userId;
      if ('apiKey' in principal) store.apiKeyId = principal.apiKey.id;
    }
    return principal as TUser;
  }
}
