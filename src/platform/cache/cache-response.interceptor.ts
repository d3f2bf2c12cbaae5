import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  SetMetadata,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { type CacheScope, ResponseCache } from './response-cache.js';

const CACHE_RULE = 'cacheRule';

interface CacheRule {
  scope: CacheScope;
  /** Seconds an answer may live at most, or how to tell; the configured time to live where it is left out. */
  ttl?: () => number;
}

/** The answer of this GET handler depends on the user, the route and the query alone: keep it until a write. */
export const CacheResponse = (scope: CacheScope, ttl?: () => number) =>
  applyDecorators(
    SetMetadata(CACHE_RULE, { scope, ttl } satisfies CacheRule),
    UseInterceptors(CacheResponseInterceptor),
  );

/** Answers from the response cache, or fills it; says which in `X-Cache`. */
@Injectable()
export class CacheResponseInterceptor implements NestInterceptor {
  constructor(
    private readonly cache: ResponseCache,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<string> {
    return from(this.answer(context, next));
  }

  private async answer(context: ExecutionContext, next: CallHandler): Promise<string> {
    const { scope, ttl } = this.reflector.get<CacheRule>(CACHE_RULE, context.getHandler());
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const userId = request.user?.userId as string;
    void reply.header('Cache-Control', 'private, no-cache').type('application/json; charset=utf-8');

    const key = await this.cache.keyOf(userId, scope, normalise(request));
    const cached = key === null ? undefined : await this.cache.get(key);
    const outcome = key === null ? 'bypass' : cached === undefined ? 'miss' : 'hit';
    this.cache.count(scope, outcome);
    void reply.header('X-Cache', outcome.toUpperCase());
    if (cached !== undefined) return cached;

    const body = JSON.stringify(await lastValueFrom(next.handle()));
    if (key !== null) await this.cache.set(key, body, ttl?.());
    return body;
  }
}

/** The same question in another order of parameters is the same question. */
function normalise({ url, routeOptions, query }: AuthenticatedRequest): string {
  const parameters = Object.entries(query as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([routeOptions.url ?? url, parameters]);
}
