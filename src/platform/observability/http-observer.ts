import type { FastifyInstance } from 'fastify';
import { Counter, Histogram } from 'prom-client';
import type { Logger } from 'pino';
import type { AuthenticatedRequest } from '../../common/auth/principal.js';
import { hasBrokenOff } from '../../common/http/client-gone.js';
import { type RequestContext, requestContext } from '../../common/http/request-context.js';

const duration = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of HTTP requests by method, route and status',
  labelNames: ['method', 'route', 'status'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
});

const brokenOff = new Counter({
  name: 'http_requests_broken_off_total',
  help: 'HTTP requests whose client closed the connection before the request had arrived',
});

/**
 * Gives each request its context, and each answer its `X-Request-Id`, its metrics and one log line. Hooks of the
 * server, not interceptors: those don't see requests that a guard has refused.
 */
export function observeHttp(server: FastifyInstance, logger: Logger): void {
  const contexts = new WeakMap<object, RequestContext>();
  // Its fields are all known here. To look for secrets in them would be a quarter of what a request allocates.
  const accessLog = logger.child({}, { redact: [] });

  server.addHook('onRequest', (request, reply, done) => {
    const { raw } = reply;
    const context: RequestContext = {
      requestId: request.id,
      startedAt: performance.now(),
      ip: request.ip,
      clientHasLeft: () => raw.destroyed && !raw.writableFinished,
    };
    contexts.set(request, context);
    void reply.header('X-Request-Id', request.id);
    requestContext.run(context, done);
  });

  server.addHook('preHandler', (request, _reply, done) => {
    const context = contexts.get(request)!;
    // What reads a body calls back outside.
    if (requestContext.getStore() === context) done();
    else requestContext.run(context, done);
  });

  // There is no response to such a request, so `onResponse` doesn't come.
  server.addHook('onRequestAbort', (request, done) => {
    if (hasBrokenOff(request.raw)) {
      brokenOff.inc();
      const { method, routeOptions } = request;
      accessLog.info({ requestId: request.id, method, route: routeOptions.url ?? 'unmatched' }, 'request broken off');
    }
    done();
  });

  server.addHook('onResponse', (request: AuthenticatedRequest, reply, done) => {
    // An unknown path must not become a label: anybody could make as many series as they like.
    const route = request.routeOptions.url ?? 'unmatched';
    const { method } = request;
    const status = reply.statusCode;
    duration.observe({ method, route, status }, reply.elapsedTime / 1000);
    // The path without the query, which may hold words of the user's.
    const [path] = request.url.split('?');
    const line = { requestId: request.id, userId: request.user?.userId, method, path, route, status };
    accessLog[status >= 500 ? 'error' : 'info']({ ...line, ms: Math.round(reply.elapsedTime * 10) / 10 }, 'request');
    done();
  });
}
