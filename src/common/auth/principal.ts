import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { ApiExtension } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { Role } from '../../contracts/role.js';
import type { ProblemError } from '../errors/problem.js';
import type { ApiKeyScope } from '../../contracts/api-key-scope.js';

/** Who a request comes from: a user with a session, or a program with an API key of a user. */
export type Principal = SessionPrincipal | ApiKeyPrincipal;

export interface SessionPrincipal {
  userId: string;
  role: Role;
  sessionId: string;
}

export interface ApiKeyPrincipal {
  userId: string;
  role: Role;
  apiKey: { id: string; scopes: ApiKeyScope[] };
}

/** A request after the authentication guard: with its principal, or with the reason why it has none. */
export interface AuthenticatedRequest extends FastifyRequest {
  user?: Principal;
  authenticationError?: ProblemError;
  /** The token or key that is not accepted; with its session, if it is a token of ours that has expired or was revoked. */
  rejectedToken?: { sessionId?: string };
}

/** The logged-in principal; only for routes that aren't `@Public()`. */
export const CurrentUser = createParamDecorator(
  (_: unknown, context: ExecutionContext) => context.switchToHttp().getRequest<AuthenticatedRequest>().user,
);

/** Metadata of a route that needs no access token. */
export const PublicRoute = Reflector.createDecorator<boolean>();
/** The route needs no access token. */
export const Public = () => applyDecorators(PublicRoute(true), ApiExtension('x-public', true));
/** The route needs no access token, and answers differently with one. */
export const OptionalSession = () => applyDecorators(Public(), ApiExtension('x-optional-session', true));

/** Metadata of a route that is for this role and those above it. */
export const RequiredRole = Reflector.createDecorator<Role>();
/** The route is for this role and those above it; others get 403. */
export const MinimumRole = (role: Role) => applyDecorators(RequiredRole(role), ApiExtension('x-minimum-role', role));
