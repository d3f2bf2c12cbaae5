import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { ApiResponseHeaders } from '../openapi/api-headers.js';
import { etagOf, type HasVersion } from './etag.js';

const NO_CONTENT = 204;
const VERSION = Symbol('version');

/** @returns a copy of the body of an answer that `@Versioned()` gives this version; the body itself doesn't show it */
export function withVersion<T extends object>(version: number, body: T): T {
  return { ...body, [VERSION]: version };
}

/**
 * Sets the `ETag` of the answer from what the handler returns, and documents it. A 204 goes out without what was returned.
 * Stands above `@Idempotent()`, which keeps the header with the answer.
 *
 * @param tagOf the entity tag, with its quotes; the version of what is returned where it is left out (`withVersion`, or a
 *   field `version`)
 */
export const Versioned = <T>(tagOf: (result: T) => string = (result) => etagOf(versionOf(result as object))) =>
  applyDecorators(
    UseInterceptors(new VersionedInterceptor(tagOf as (result: unknown) => string)),
    ApiResponseHeaders('ETag'),
  );

class VersionedInterceptor implements NestInterceptor {
  constructor(private readonly tagOf: (result: unknown) => string) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    return next.handle().pipe(
      map((result: unknown) => {
        void reply.header('ETag', this.tagOf(result));
        return reply.statusCode === NO_CONTENT ? undefined : result;
      }),
    );
  }
}

function versionOf(result: object): HasVersion {
  return VERSION in result ? { version: result[VERSION] as number } : (result as HasVersion);
}
