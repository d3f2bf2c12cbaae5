import { StreamableFile } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { isUnchanged, NO_ETAG } from './etag.js';

const READS = new Set(['GET', 'HEAD']);

/**
 * Evaluates `If-Match` and `If-None-Match` of a read (RFC 9110, 13.2.2), against the `ETag` that its handler has set. Where it
 * sets none, only `*` names what is there. Conditions are ignored where the answer is neither 2xx nor has a tag (13.2.1).
 *
 * @returns what is to be sent: the handler's result, or nothing with 304
 * @throws VersionMismatchError where `If-Match` excludes the current state
 */
export function evaluateConditions(reply: FastifyReply, result: unknown): unknown {
  const { method, headers } = reply.request;
  if (!READS.has(method) || (headers['if-match'] ?? headers['if-none-match']) === undefined) return result;
  const etag = reply.getHeader('ETag') as string | undefined;
  if (etag === undefined && reply.statusCode >= 300) return result;
  let isSent = false;
  try {
    isSent = !isUnchanged(headers, etag ?? NO_ETAG);
  } finally {
    if (!isSent && result instanceof StreamableFile) result.getStream().destroy();
  }
  if (isSent) return result;
  void reply.status(304).removeHeader('Content-Type').removeHeader('Location');
  return undefined;
}
