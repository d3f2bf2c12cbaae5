import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiConditions } from '../openapi/api-headers.js';
import { type Precondition, preconditionOf } from './etag.js';

/**
 * The conditions of a write (`If-Match`, `If-None-Match`), for the service to check inside its transaction. Documents both
 * headers and the answer 412. Reads need no such parameter: `ApiAdapter` evaluates theirs.
 */
export const Conditional = createParamDecorator(
  (_: unknown, context: ExecutionContext): Precondition =>
    preconditionOf(context.switchToHttp().getRequest<FastifyRequest>().headers),
  [
    (controller, method) => {
      if (method === undefined) return;
      const handler = Object.getOwnPropertyDescriptor(controller, method) as PropertyDescriptor;
      ApiConditions()(controller, method, handler);
    },
  ],
);
