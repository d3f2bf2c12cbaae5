import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { ownedBy } from '../../common/auth/access-scope.js';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { ApiResponseHeaders } from '../../common/openapi/api-headers.js';
import type { CacheScope } from '../../contracts/cache-scope.js';
import { type Answer, tagOf } from './cached-answer.js';
import { ResponseCache } from './response-cache.js';

interface CacheOptions {
  /** When an answer that is made now expires, in milliseconds since 1970; for answers that change with time. */
  expiry?: (now: number) => number;
  /** The entity tag of what the handler gave, with its quotes; a digest of the bytes where it is left out. */
  tag?: (result: never) => string;
}

interface CacheRule extends CacheOptions {
  scope: CacheScope;
}

const CacheRuleOf = Reflector.createDecorator<CacheRule>();

/**
 * The answer of this GET handler depends on the user, the route, its parameters and the query alone: it is kept until a
 * write to what it shows (`invalidatesCache` on the schemas), and carries an `ETag`. Documents both.
 */
export const CacheResponse = (scope: CacheScope, options: CacheOptions = {}) =>
  applyDecorators(
    CacheRuleOf({ scope, ...options }),
    UseInterceptors(CacheResponseInterceptor),
    ApiResponseHeaders('ETag', 'X-Cache'),
  );

/** Answers from the response cache, or fills it; says which in `X-Cache`. What was stored goes out byte for byte. */
@Injectable()
export class CacheResponseInterceptor implements NestInterceptor {
  constructor(
    private readonly cache: ResponseCache,
    private readonly reflector: Reflector,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<Buffer> {
    return from(this.answer(context, next));
  }

  private async answer(context: ExecutionContext, next: CallHandler): Promise<Buffer> {
    const { scope, expiry, tag } = this.reflector.get(CacheRuleOf, context.getHandler());
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const owner = ownedBy(request.user?.userId as string);

    const make = async () => toAnswer(await lastValueFrom(next.handle()), tag);
    const { answer, outcome } = await this.cache.answer(
      { owner, scope, request: normalise(request) },
      { make, ...(expiry && { expiry }) },
    );

    void reply.headers({ ETag: answer.etag, 'X-Cache': outcome.toUpperCase(), 'Cache-Control': 'private, no-cache' });
    void reply.header('Vary', [reply.getHeader('Vary'), 'Authorization'].filter(Boolean).join(', '));
    void reply.type('application/json; charset=utf-8');
    return answer.body;
  }
}

function toAnswer(result: unknown, tag: CacheOptions['tag']): Answer {
  const body = Buffer.from(JSON.stringify(result));
  return { body, etag: tag ? tag(result as never) : tagOf(body) };
}

/** The order of parameters makes no difference. */
function normalise({ url, routeOptions, params, query }: AuthenticatedRequest): string {
  const sorted = (values: unknown) =>
    Object.entries(values as Record<string, unknown>).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([routeOptions.url ?? url, sorted(params), sorted(query)]);
}
