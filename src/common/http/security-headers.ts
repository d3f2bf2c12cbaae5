import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';

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
export function secureHeaders(server: FastifyInstance, docsPath: string): void {
  const constant = helmetHeaders();
  const ofApi = { ...constant, 'content-security-policy': API_POLICY };
  const ofDocs = { ...constant, 'content-security-policy': DOCS_POLICY };
  server.addHook('onRequest', (request, reply, done) => {
    const isDocs = request.routeOptions.url?.startsWith(docsPath) ?? false;
    void reply.headers(isDocs ? ofDocs : ofApi);
    done();
  });
  server.addHook('onSend', (request, reply, payload, done) => {
    const policy = cachePolicy(request.routeOptions.url);
    if (policy && !reply.hasHeader('Cache-Control')) void reply.header('Cache-Control', policy);
    done(null, payload);
  });
}

/** Helmet's headers depend on nothing of the request, so it is asked for them once. @returns them by their names in lower case */
function helmetHeaders(): Record<string, string> {
  const headers: Record<string, string> = {};
  const response = {
    setHeader: (name: string, value: string) => (headers[name.toLowerCase()] = value),
    removeHeader: () => undefined,
  };
  const setHeaders = helmet({
    contentSecurityPolicy: false,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'no-referrer' },
  });
  setHeaders({} as IncomingMessage, response as unknown as ServerResponse, () => undefined);
  return headers;
}

/** Tokens and probes are kept nowhere; what a user sees only by that user's browser, which asks before it shows it. */
function cachePolicy(route: string | undefined): string | undefined {
  if (route?.startsWith('/api/v1/auth/') || route?.startsWith('/health')) return 'no-store';
  return route?.startsWith('/api/') ? 'private, no-cache' : undefined;
}
