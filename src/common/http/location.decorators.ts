import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { ApiResponseHeaders } from '../openapi/api-headers.js';

/** @param parameters of the route */
type LocationOf = (result: never, parameters: Record<string, string>) => string;

/**
 * Sets the `Location` of what the handler has created, and documents it. Stands above `@Idempotent()`, which keeps the header
 * with the answer.
 *
 * @param locationOf the path, from what the handler returns and the route's parameters
 */
export const Created = <T>(locationOf: (result: T, parameters: Record<string, string>) => string) =>
  applyDecorators(
    UseInterceptors(new LocationInterceptor(locationOf, (result) => result)),
    ApiResponseHeaders('Location'),
  );

/**
 * Leads to the presigned URL that the handler returns as `url`, and documents it. Stands below `@Versioned()`, and above
 * `@HttpCode(302)`, which the Swagger plugin looks for in the source.
 *
 * @param description of what is at the URL
 */
export const Redirects = (description: string) =>
  applyDecorators(
    UseInterceptors(
      new LocationInterceptor(
        ({ url }: { url: string }) => url,
        () => undefined,
      ),
    ),
    ApiResponse({
      status: 302,
      description,
      headers: { Location: { description: 'A presigned URL', schema: { type: 'string', format: 'uri' } } },
    }),
  );

class LocationInterceptor implements NestInterceptor {
  /** @param bodyOf what is sent of what the handler returns */
  constructor(
    private readonly locationOf: LocationOf,
    private readonly bodyOf: (result: unknown) => unknown,
  ) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const http = context.switchToHttp();
    const parameters = http.getRequest<FastifyRequest>().params as Record<string, string>;
    return next.handle().pipe(
      map((result: unknown) => {
        void http.getResponse<FastifyReply>().header('Location', this.locationOf(result as never, parameters));
        return this.bodyOf(result);
      }),
    );
  }
}
