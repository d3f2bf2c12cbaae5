import { type ExecutionContext, Injectable } from '@nestjs/common';
import { type ReflectableDecorator, Reflector } from '@nestjs/core';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { countRequest, hashedNetwork, invalidTokenKey } from './count-request.js';

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

/** One limit for each route: the strict one where it is marked so, else the general one. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override async handleRequest({ context, limit, ttl, throttler }: ThrottlerRequest): Promise<boolean> {
    const strict = this.markOf(Strict, context) ?? false;
    if ((throttler.name === 'strict') !== strict) return true;
    const times = this.markOf(Separate, context);
    const key = strict || times !== undefined ? routeKey(context) : generalKey(context);
    await countRequest(this.storageService, context.switchToHttp().getResponse<FastifyReply>(), {
      limit: strict ? 'strict' : 'general',
      key,
      maximum: limit * (times ?? 1),
      windowMs: ttl,
    });
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
