import type { ThrottlerStorage } from '@nestjs/throttler';
import type { FastifyReply } from 'fastify';
import { sha256 } from '../../common/crypto/digest.js';
import { ProblemError } from '../../common/errors/problem.js';
import { networkOf } from '../../common/http/client-network.js';

/** What a request counts by, and how many such requests are allowed in how many milliseconds. */
export interface RequestCount {
  limit: 'general' | 'strict';
  key: string;
  maximum: number;
  windowMs: number;
}

/**
 * Counts a request and states in its answer what is left.
 *
 * @throws ProblemError `RATE_LIMITED` beyond the limit
 */
export async function countRequest(
  storage: ThrottlerStorage,
  reply: FastifyReply,
  { limit, key, maximum, windowMs }: RequestCount,
): Promise<void> {
  const record = await storage.increment(`${limit}:${key}`, windowMs, maximum, windowMs, limit);
  void reply.headers({
    'RateLimit-Limit': maximum,
    'RateLimit-Remaining': Math.max(0, maximum - record.totalHits),
    'RateLimit-Reset': record.timeToExpire,
  });
  if (!record.isBlocked) return;
  throw new ProblemError('RATE_LIMITED', `Too many requests: try again in ${record.timeToBlockExpire} s.`, {
    headers: { 'Retry-After': String(record.timeToBlockExpire) },
  });
}

/** Requests with a token that nobody issued: apart from those without one, which must not suffer from them. */
export function invalidTokenKey(ip: string): string {
  return `invalid-token:${hashedNetwork(ip)}`;
}

/** Addresses are personal data: Redis needs to tell them apart, not to know them. */
export function hashedNetwork(ip: string): string {
  return sha256(networkOf(ip)).slice(0, 22);
}
