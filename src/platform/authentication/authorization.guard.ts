import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { type ReflectableDecorator, Reflector } from '@nestjs/core';
import { type AuthenticatedRequest, type Principal, PublicRoute, RequiredRole } from '../../common/auth/principal.js';
import {
  AdditionalScope,
  ApiKeyResource,
  type ScopedResource,
  scopeFor,
  scopesAllow,
} from '../../common/auth/scopes.js';
import { InsufficientScopeError, ProblemError, UnauthenticatedError } from '../../common/errors/problem.js';
import { clientOf } from '../../common/http/client.js';
import { perRoute } from '../../common/http/per-route.js';
import type { ApiKeyScope } from '../../contracts/api-key-scope.js';
import { type Role, ROLES } from '../../contracts/role.js';
import { RefusalAudit } from '../audit/refusal-audit.js';

/** Who may use a route. */
interface RouteAccess {
  isPublic: boolean | undefined;
  minimumRole: Role | undefined;
  resource: ScopedResource | null | undefined;
  additionalScope: ApiKeyScope | undefined;
}

/** Why a principal may not use a route: `needs` for the audit trail, `detail` for the client. */
interface MissingRight {
  needs: string;
  detail: string;
  /** Where the scopes of an API key are the reason: all that the request takes. */
  scopes?: string[];
}

/** Refuses requests without a valid token (401), unless the route is public, and too low a role or scope (403, audited). */
@Injectable()
export class AuthorizationGuard implements CanActivate {
  private readonly accessOf = perRoute((context): RouteAccess => ({
    isPublic: this.markOf(PublicRoute, context),
    minimumRole: this.markOf(RequiredRole, context),
    resource: this.markOf(ApiKeyResource, context),
    additionalScope: this.markOf(AdditionalScope, context),
  }));

  constructor(
    private readonly reflector: Reflector,
    private readonly refusals: RefusalAudit,
  ) {}

  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { user, authenticationError, method } = request;
    const access = this.accessOf(context);
    if (access.isPublic) return true;
    if (!user) throw authenticationError ?? new UnauthenticatedError();
    const missing = this.findMissingRight(user, method, access);
    return missing ? this.refuse(request, user, missing) : true;
  }

  private async refuse(request: AuthenticatedRequest, principal: Principal, missing: MissingRight): Promise<never> {
    const { method, routeOptions } = request;
    const { needs, detail, scopes: takes } = missing;
    const route = routeOptions.url ?? 'unmatched';
    await this.refusals.add({ principal, client: clientOf(request) }, { method, route, needs });
    throw takes ? new InsufficientScopeError(detail, takes) : new ProblemError('FORBIDDEN', detail);
  }

  /** @returns null for a principal who may use the route */
  private findMissingRight(user: Principal, method: string, access: RouteAccess): MissingRight | null {
    const { minimumRole: minimum, resource, additionalScope: additional } = access;
    if (minimum && ROLES.indexOf(user.role) < ROLES.indexOf(minimum)) {
      return { needs: `role ${minimum}`, detail: `This needs the role ${minimum}.` };
    }
    if (!('apiKey' in user)) return null;
    const { scopes } = user.apiKey;
    if (!resource) return { needs: 'session', detail: 'API keys are not accepted here: log in.' };
    const takes = [scopeFor(resource, method), ...(additional ? [additional] : [])];
    if (!scopesAllow(scopes, resource, method)) {
      const detail = `The API key's scopes don't allow this on ${resource}.`;
      return { needs: `scope of ${resource}`, detail, scopes: takes };
    }
    if (!additional || scopes.includes(additional)) return null;
    const detail = `This needs an API key with the scope ${additional}.`;
    return { needs: `scope ${additional}`, detail, scopes: takes };
  }

  private markOf<T>(mark: ReflectableDecorator<T>, context: ExecutionContext): T | undefined {
    return this.reflector.getAllAndOverride(mark, [context.getHandler(), context.getClass()]);
  }
}
