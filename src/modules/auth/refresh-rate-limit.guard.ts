import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ThrottlingEnvironment } from '../../config/areas/throttling.environment.js';
import { countRequest, invalidTokenKey } from '../../platform/throttling/count-request.js';
import { SessionsService } from './sessions.service.js';

/**
 * Counts a refresh by its session, which its token proves: neither other clients behind the same address nor a client with
 * invalid tokens can use the count up. Invalid tokens count by address.
 */
@Injectable()
export class RefreshRateLimitGuard implements CanActivate {
  constructor(
    @Inject(ThrottlerStorage) private readonly storage: ThrottlerStorage,
    private readonly sessions: SessionsService,
    private readonly environment: ThrottlingEnvironment,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const { body, ip } = http.getRequest<FastifyRequest<{ Body?: { refreshToken?: unknown } | null }>>();
    // Guards come before the validation: the body may be anything.
    const token = body?.refreshToken;
    const found = typeof token === 'string' ? await this.sessions.findByRefreshToken(token) : null;
    await countRequest(this.storage, http.getResponse<FastifyReply>(), {
      limit: 'general',
      key: found ? `session:${String(found.session._id)}` : invalidTokenKey(ip),
      maximum: this.environment.THROTTLE_GENERAL_LIMIT,
      windowMs: this.environment.THROTTLE_GENERAL_WINDOW_SECONDS * 1000,
    });
    return true;
  }
}
