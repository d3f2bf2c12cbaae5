import { type Context, context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { markClientParent, tracer } from './spans.js';

/** Asked every few seconds, for ever. */
const NOT_TRACED = /^\/health(\/|$)/;

/**
 * Makes a span of each request. It continues the trace of a `traceparent` (W3C Trace Context), but whether it is recorded is
 * the sampler's decision, not the client's.
 */
export function traceHttp(server: FastifyInstance): void {
  const traced = new WeakMap<object, Context>();

  server.addHook('onRequest', (request, _reply, done) => {
    const { method, headers } = request;
    // Of the address the route alone: it has neither ids nor tokens. A path that is unknown has none.
    const { url: route } = request.routeOptions;
    if (route && NOT_TRACED.test(route)) return done();
    const parent = propagation.extract(ROOT_CONTEXT, headers);
    const attributes = { 'http.request.method': method, ...(route && { 'http.route': route }) };
    const name = route ? `${method} ${route}` : method;
    const span = tracer.startSpan(name, { kind: SpanKind.SERVER, attributes }, markClientParent(parent));
    // Without the mark: the spans below this one follow its decision.
    const own = trace.setSpan(parent, span);
    traced.set(request, own);
    context.with(own, done);
  });

  // What reads the body calls back outside.
  server.addHook('preHandler', (request, _reply, done) => {
    context.with(traced.get(request) ?? ROOT_CONTEXT, done);
  });

  server.addHook('onResponse', (request, { statusCode }, done) => {
    const own = traced.get(request) ?? ROOT_CONTEXT;
    const span = trace.getSpan(own);
    span?.setAttribute('http.response.status_code', statusCode);
    if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR });
    span?.end();
    context.with(own, done);
  });
}
