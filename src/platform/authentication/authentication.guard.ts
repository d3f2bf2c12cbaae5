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
  override canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const { headers } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    // A request without credentials needs no strategy.
    return headers.authorization === undefined || (super.canActivate(context) as Promise<boolean>);
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
