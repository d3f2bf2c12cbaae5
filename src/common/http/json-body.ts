import { errorCodes, type FastifyInstance } from 'fastify';

/** JSON and nothing else; an empty body is no body, whatever its type says (many clients always send one). */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    void parse(request, body as string, done);
  });
}

/** What a browser or a mail program sends from a form; read nowhere, since addresses say all that such routes need. */
const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** Lets forms be posted to this path, and nowhere else. */
export function letFormsPass(server: FastifyInstance, path: string): void {
  server.addContentTypeParser(FORMS, { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0 || request.routeOptions.url === path) return done(null, undefined);
    done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
  });
}
