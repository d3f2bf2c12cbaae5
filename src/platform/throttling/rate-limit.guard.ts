import { createHash } from 'node:crypto';
import { type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerRequest } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { ProblemError } from '../../common/errors/problem.js';
import { networkOf } from '../../common/http/client-network.js';

const STRICT = 'strictRateLimit';

/** Counted by the strict limit, per client address: routes that take a password or a code. */
export const StrictRateLimit = () => SetMetadata(STRICT, true);

/** One limit for each route: the strict one where it is marked so, else the general one. */
@Injectable()
export class RateLimitGuard extends ThrottlerGuard {
  protected override async handleRequest({ context, limit, ttl, throttler }: ThrottlerRequest): Promise<boolean> {
    const strict =
      this.reflector.getAllAndOverride<boolean | undefined>(STRICT, [context.getHandler(), context.getClass()]) ??
      false;
    if ((throttler.name === 'strict') !== strict) return true;

    const name = strict ? 'strict' : 'general';
    const key = strict ? this.strictKey(context) : this.generalKey(context);
    const record = await this.storageService.increment(`${name}:${key}`, ttl, limit, ttl, name);
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    void reply.headers({
      'RateLimit-Limit': limit,
      'RateLimit-Remaining': Math.max(0, limit - record.totalHits),
      'RateLimit-Reset': record.timeToExpire,
    });
    if (!record.isBlocked) return true;
    throw new ProblemError('RATE_LIMITED', `Too many requests: try again in ${record.timeToBlockExpire} s.`, {
      headers: { 'Retry-After': String(record.timeToBlockExpire) },
    });
  }

  private generalKey(context: ExecutionContext): string {
    const { user, ip } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    return user ? `user:${user.userId}` : `address:${hashed(ip)}`;
  }

  /** A count for each route, so that a log-in doesn't use up a registration. */
  private strictKey(context: ExecutionContext): string {
    const { ip } = context.switchToHttp().getRequest<AuthenticatedRequest>();
    return `${context.getClass().name}.${context.getHandler().name}:${hashed(ip)}`;
  }
}

/** Addresses are personal data: Redis needs to tell them apart, not to know them. */
function hashed(ip: string): string {
  return createHash('sha256').update(networkOf(ip)).digest('base64url').slice(0, 22);
}
