import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type AuthenticatedRequest, MINIMUM_ROLE, PUBLIC_ROUTE } from '../../common/auth/principal.js';
import { ADDITIONAL_SCOPE, API_KEY_RESOURCE, type ScopedResource, scopesAllow } from '../../common/auth/scopes.js';
import { ProblemError, UnauthenticatedError } from '../../common/errors/problem.js';
import type { ApiKeyScope } from '../../contracts/api-key-scope.js';
import { type Role, ROLES } from '../../contracts/role.js';

/** Refuses requests without a valid token (401), unless the route is public, and too low a role or scope (403). */
@Injectable()
export class AuthorizationGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const { user, authenticationError, method } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean>(PUBLIC_ROUTE, targets)) return true;
    if (!user) throw authenticationError ?? new UnauthenticatedError();
    const minimum = this.reflector.getAllAndOverride<Role | undefined>(MINIMUM_ROLE, targets);
    if (minimum && ROLES.indexOf(user.role) < ROLES.indexOf(minimum)) {
      throw new ProblemError('FORBIDDEN', `This needs the role ${minimum}.`);
    }
    if ('apiKey' in user) {
      const resource = this.reflector.getAllAndOverride<ScopedResource | null | undefined>(API_KEY_RESOURCE, targets);
      if (!resource) throw new ProblemError('FORBIDDEN', 'API keys are not accepted here: log in.');
      if (!scopesAllow(user.apiKey.scopes, resource, method)) {
        throw new ProblemError('FORBIDDEN', `The API key's scopes don't allow this on ${resource}.`);
      }
      const additional = this.reflector.getAllAndOverride<ApiKeyScope | undefined>(ADDITIONAL_SCOPE, targets);
      if (additional && !user.apiKey.scopes.includes(additional)) {
        throw new ProblemError('FORBIDDEN', `This needs an API key with the scope ${additional}.`);
      }
    }
    return true;
  }
}
