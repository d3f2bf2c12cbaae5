import type { FastifyInstance } from 'fastify';
import type { RouteMethods } from './route-methods.js';

/** Says in every answer to OPTIONS which methods its address has. To be called before CORS is enabled, which answers preflights. */
export function announceMethods(server: FastifyInstance, routes: RouteMethods): void {
  server.addHook('onRequest', (request, reply, done) => {
    const allowed = request.method === 'OPTIONS' ? routes.allowedAt(request.url) : [];
    if (allowed.length > 0) void reply.header('Allow', allowed.join(', '));
    done();
  });
}

/** Answers OPTIONS (RFC 9110, 9.3.7) where it is no preflight of an allowed origin. To be called after CORS is enabled. */
export function answerOptions(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (request.method !== 'OPTIONS' || !reply.hasHeader('Allow')) return done();
    void reply.status(204).send();
  });
}
