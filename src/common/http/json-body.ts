import type { FastifyInstance } from 'fastify';

/** JSON and nothing else; an empty body is no body, whatever its type says (many clients always send one). */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    void parse(request, body as string, done);
  });
}
