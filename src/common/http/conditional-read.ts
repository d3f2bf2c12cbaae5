import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  type NestInterceptor,
  StreamableFile,
} from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { map, type Observable } from 'rxjs';
import { isUnchanged, NO_ETAG } from './etag.js';

const READS = new Set(['GET', 'HEAD']);

/**
 * Evaluates `If-Match` and `If-None-Match` for every read (RFC 9110, 13.2.2), against the `ETag` that the handler has set. Where
 * it sets none, only `*` names what is there. Conditions are ignored where the answer is neither 2xx nor has a tag (13.2.1).
 *
 * @throws VersionMismatchError where `If-Match` excludes the current state
 */
@Injectable()
export class ConditionalReadInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const reply = context.switchToHttp().getResponse<FastifyReply>();
    const { method, headers } = reply.request;
    if (!READS.has(method) || (headers['if-match'] ?? headers['if-none-match']) === undefined) return next.handle();
    return next.handle().pipe(map((result: unknown) => evaluate(reply, result)));
  }
}

/** @returns what is to be sent: the handler's result, or nothing with 304 */
function evaluate(reply: FastifyReply, result: unknown): unknown {
  const etag = reply.getHeader('ETag') as string | undefined;
  if (etag === undefined && reply.statusCode >= 300) return result;
  let isSent = false;
  try {
    isSent = !isUnchanged(reply.request.headers, etag ?? NO_ETAG);
  } finally {
    if (!isSent && result instanceof StreamableFile) result.getStream().destroy();
  }
  if (isSent) return result;
  void reply.status(304).removeHeader('Content-Type').removeHeader('Location');
  return undefined;
}
