import type { IncomingHttpHeaders } from 'node:http';
import { errorCodes, type FastifyInstance, type FastifyRequest } from 'fastify';
import { ProblemError } from '../errors/problem.js';

/**
 * Prepares requests for the body parsers. A request without content has no media type, whatever its `Content-Type` says
 * (RFC 9110, 8.3): many clients send a form's type with `Content-Length: 0`. Content in another coding than `identity` is
 * refused with 415 (RFC 9110, 15.5.16), since nothing here decodes it.
 */
export function prepareContent(server: FastifyInstance): void {
  // After the hooks of `onRequest`: those add the headers that every answer has.
  server.addHook('preParsing', (request, _reply, payload, done) => {
    const { headers } = request.raw;
    if (!announcesContent(headers)) delete headers['content-type'];
    else if (isEncoded(headers)) return done(new UnsupportedContentEncodingError());
    done(null, payload);
  });
  server.addContentTypeParser('*', (request, payload, done) => {
    // An unknown path is 404, also with unacceptable content.
    if (request.is404) return done(null, undefined);
    refuseUnlessEmpty(request, payload, done);
  });
}

export class UnsupportedContentEncodingError extends ProblemError {
  constructor() {
    super('UNSUPPORTED_MEDIA_TYPE', 'Send the body without a Content-Encoding.', {
      headers: { 'Accept-Encoding': 'identity' },
    });
  }
}

function announcesContent(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function isEncoded(headers: IncomingHttpHeaders): boolean {
  const codings = headers['content-encoding'] ?? '';
  return codings.split(',').some((coding) => !['', 'identity'].includes(coding.trim().toLowerCase()));
}

/** Chunked content may turn out to be empty; the first byte of another type's is refused. */
function refuseUnlessEmpty(
  request: FastifyRequest,
  payload: NodeJS.ReadableStream,
  done: (error: Error | null, body?: undefined) => void,
): void {
  const finish = (error: Error | null) => {
    payload.removeListener('data', onData).removeListener('end', onEnd).removeListener('error', finish);
    done(error);
  };
  const onData = () => finish(new errorCodes.FST_ERR_CTP_INVALID_MEDIA_TYPE(request.headers['content-type']));
  const onEnd = () => finish(null);
  payload.on('data', onData).on('end', onEnd).on('error', finish);
}
