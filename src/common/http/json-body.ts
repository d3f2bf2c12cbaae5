import { isUtf8 } from 'node:buffer';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { ProblemError } from '../errors/problem.js';

const UTF8 = new Set(['utf-8', 'utf8']);
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/gi;

/**
 * JSON in valid UTF-8 (RFC 8259, 8.1) and nothing else; an empty body is no body, whatever its type says (many clients always
 * send one). Bytes that are not UTF-8 are refused instead of replaced: otherwise different passwords would be the same.
 */
export function acceptJsonOnly(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    if (charsetsOf(request).some((charset) => !UTF8.has(charset))) return done(new UnsupportedCharsetError());
    if (!isUtf8(body as Buffer)) return done(new ProblemError('MALFORMED_BODY', 'The body is not valid UTF-8.'));
    void parse(request, body.toString(), done);
  });
}

class UnsupportedCharsetError extends ProblemError {
  constructor() {
    super('UNSUPPORTED_MEDIA_TYPE', 'Send the body in UTF-8: no other charset is supported.');
  }
}

function charsetsOf({ headers }: FastifyRequest): string[] {
  return [...(headers['content-type'] ?? '').matchAll(CHARSET)].map(([, charset = '']) => charset.toLowerCase());
}

/** What a browser or a mail program sends from a form; read nowhere, since addresses say all that such routes need. */
const FORMS = ['application/x-www-form-urlencoded', 'multipart/form-data'];

/** Lets forms be posted to these paths, and nowhere else. */
export function letFormsPass(server: FastifyInstance, paths: string[]): void {
  server.addContentTypeParser(FORMS, { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0 || paths.includes(request.routeOptions.url ?? '')) return done(null, undefined);
    done(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
  });
}
