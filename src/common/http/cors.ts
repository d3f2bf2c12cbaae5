import fastifyCors, { type FastifyCorsOptions } from '@fastify/cors';
import type { FastifyInstance } from 'fastify';

const MAX_AGE_SECONDS = 600;
const ANY_ORIGIN = '*';

/**
 * Browsers of the listed origins may call; for all others there is no CORS header, not even in a preflight. The list
 * is compared as a whole, character by character. `*` lets any site's pages call: they still need a token, as no cookie
 * ever counts here.
 *
 * Not `app.enableCors()`, which repeats each header on Node's response: Node then checks and copies all headers once more.
 */
export async function allowOrigins(server: FastifyInstance, origins: readonly string[]): Promise<void> {
  await server.register(fastifyCors, corsOptions(origins));
}

function corsOptions(origins: readonly string[]): FastifyCorsOptions {
  const allowed = new Set(origins);
  return {
    origin: allowed.has(ANY_ORIGIN)
      ? ANY_ORIGIN
      : (origin, done) => done(null, origin !== undefined && allowed.has(origin)),
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: ['Authorization', 'Content-Type', 'If-Match', 'If-None-Match', 'Idempotency-Key', 'X-Request-Id'],
    exposedHeaders: [
      'ETag',
      'Link',
      'Location',
      'Retry-After',
      'RateLimit-Limit',
      'RateLimit-Remaining',
      'RateLimit-Reset',
      'WWW-Authenticate',
      'Content-Disposition',
      'Content-Range',
      'X-Cache',
      'X-Request-Id',
      'Idempotency-Replayed',
    ],
    credentials: false,
    maxAge: MAX_AGE_SECONDS,
    strictPreflight: false,
  };
}
