import { type ExecutionContext, Injectable } from '@nestjs/common';
import { type ReflectableDecorator, Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { countRequest, hashedNetwork, invalidTokenKey, type RequestCount } from './count-request.js';

const ALLOWED = Promise.resolve(true);

const Strict = Reflector.createDecorator<boolean>();
const Separate = Reflector.createDecorator<number>();

/** Counted by the strict limit, per client address: routes that take a password or a code. */
export const StrictRateLimit = () => Strict(true);

/**
 * Counted by the general limit, per client address, but apart from all other routes, with or without a token.
 *
 * @param times how many times the general limit is allowed
 */
export const SeparateRateLimit = (times = 1) => Separate(times);

/** How the requests of a route are limited. */
interface RouteLimit extends Omit<RequestCount, 'key'> {
  keyOf: (context: ExecutionContext) => string;
}

/** One limit for each route: the strict one where it is marked so, else the general one. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  /** By handler, as `ThrottlerGuard` found it with the first request; null for a route that isn't limited. */
  private readonly limits = new WeakMap<object, RouteLimit | null>();

  override canActivate(context: ExecutionContext): Promise<boolean> {
    const limit = this.limits.get(context.getHandler());
    if (limit === undefined) return this.countFirst(context);
    return limit === null ? ALLOWED : this.count(context, limit);
  }

  /** Called by `ThrottlerGuard` for each limit that the route doesn't skip. */
  protected override async handleRequest({ context, limit, ttl, throttler }: ThrottlerRequest): Promise<boolean> {
    const strict = this.markOf(Strict, context) ?? false;
    if ((throttler.name === 'strict') !== strict) return true;
    const times = this.markOf(Separate, context);
    const routeLimit: RouteLimit = {
      limit: strict ? 'strict' : 'general',
      maximum: limit * (times ?? 1),
      windowMs: ttl,
      keyOf: strict || times !== undefined ? routeKey : generalKey,
    };
    this.limits.set(context.getHandler(), routeLimit);
    return await this.count(context, routeLimit);
  }

  private async countFirst(context: ExecutionContext): Promise<boolean> {
    const isAllowed = await super.canActivate(context);
    const handler = context.getHandler();
    if (!this.limits.has(handler)) this.limits.set(handler, null);
    return isAllowed;
  }

  private async count(context: ExecutionContext, { keyOf, ...limit }: RouteLimit): Promise<boolean> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    await countRequest(this.storageService, reply, { ...limit, key: keyOf(context) });
    return true;
  }

  private markOf<T>(mark: ReflectableDecorator<T>, context: ExecutionContext): T | undefined {
    return this.reflector.getAllAndOverride(mark, [context.getHandler(), context.getClass()]);
  }
}

/** By user, or by API key where one is used; a token that has expired or whose session has ended by that session; all else by address. */
function generalKey(context: ExecutionContext): string {
  const { user, rejectedToken, ip } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (user) return 'apiKey' in user ? `api-key:${user.apiKey.id}` : `user:${user.userId}`;
  if (!rejectedToken) return `address:${hashedNetwork(ip)}`;
  return rejectedToken.sessionId ? `ended-token:${rejectedToken.sessionId}` : invalidTokenKey(ip);
}

/** A count for each route, so that a log-in doesn't use up a registration. */
function routeKey(context: ExecutionContext): string {
  const { ip } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  return `${context.getClass().name}.${context.getHandler().name}:${hashedNetwork(ip)}`;
}
