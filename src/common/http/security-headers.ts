import fastifyHelmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';

/** An answer of the API is data: should a browser be led to show one, nothing in it runs and no page frames it. */
const API_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/** Swagger UI brings its own scripts and images; its page has style elements, and the library sets style attributes. */
const DOCS_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; " +
  "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/**
 * Security headers, and who may keep an answer. `Cross-Origin-Resource-Policy` stays at `same-origin`: it is about
 * embedding without CORS, which nothing here is for.
 *
 * @param docsPath where Swagger UI is
 */
export async function secureHeaders(server: FastifyInstance, docsPath: string): Promise<void> {
  await server.register(fastifyHelmet, {
    contentSecurityPolicy: false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  server.addHook('onRequest', (request, reply, done) => {
    const isDocs = request.routeOptions.url?.startsWith(docsPath) ?? false;
    void reply.header('Content-Security-Policy', isDocs ? DOCS_POLICY : API_POLICY);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const policy = cachePolicy(request.routeOptions.url);
    if (policy && !reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', policy);
    done(null, payload);
  });
}

/** Tokens and probes are kept nowhere; what a user sees only by that user's browser, which asks before it shows it. */
function cachePolicy(route: string | undefined): string | undefined {
  if (route?.startsWith('/api/v1/auth/') || route?.startsWith('/health')) return 'no-store';
  return route?.startsWith('/api/') ? 'private, no-cache' : undefined;
}
