import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../../common/errors/problem.js';
import { byteRangeOf } from '../../common/http/byte-range.js';
import { isUnchanged } from '../../common/http/etag.js';
import type { LocalStorage } from './local-storage.js';
import { LOCAL_FILES_PATH, type LocalUrls, type SignedRequest } from './local-urls.js';
import { DOWNLOAD_TTL_SECONDS } from './object-storage.js';

interface FileRequest {
  Params: { '*': string };
  Querystring: SignedRequest['query'];
}

/**
 * Serves the presigned URLs of the local disk. Routes of the server itself, outside the API: everybody who has a URL may use
 * it, a body of any type is accepted, and it is streamed to the disk.
 */
export async function serveLocalFiles(server: FastifyInstance, storage: LocalStorage, urls: LocalUrls): Promise<void> {
  await server.register((files, _options, done) => {
    // The error handler of the application is set only after this has run.
    files.setErrorHandler((error, request, reply) => server.errorHandler(error, request, reply));
    files.removeAllContentTypeParsers();
    files.addContentTypeParser('*', (_request, _payload, parsed) => parsed(null));

    files.addHook<FileRequest>('onRequest', async ({ method, params, query, headers }) => {
      urls.verify({ method, key: params['*'], query, headers });
    });

    files.put<FileRequest>(`${LOCAL_FILES_PATH}/*`, async (request, reply) => {
      const { 'content-type': contentType = '', 'content-length': size } = request.headers;
      await storage.write({ key: request.params['*'], contentType, size: Number(size) }, request.raw);
      return await reply.send();
    });

    files.get<FileRequest>(`${LOCAL_FILES_PATH}/*`, async (request, reply) => {
      const key = request.params['*'];
      const object = await storage.find(key);
      if (!object) throw new NotFoundError();
      const { size, etag, contentType } = object;
      const unchanged = isUnchanged(request.headers, etag);
      // RFC 9110, 14.2: ranges are for GET alone.
      const range = unchanged || request.method === 'HEAD' ? null : byteRangeOf(request.headers, size, etag);
      void reply.headers({
        ETag: etag,
        'Accept-Ranges': 'bytes',
        'Cache-Control': `private, max-age=${DOWNLOAD_TTL_SECONDS}`,
        // Another origin's page may show a picture: a store elsewhere would let it, too.
        'Cross-Origin-Resource-Policy': 'cross-origin',
      });
      if (unchanged) return await reply.status(304).send();
      const { start, end } = range ?? { start: 0, end: size - 1 };
      void reply.headers({
        'Content-Type': contentType,
        'Content-Length': end - start + 1,
        'Content-Disposition': request.query.disposition,
        ...(range && { 'Content-Range': `bytes ${start}-${end}/${size}` }),
      });
      if (range) void reply.status(206);
      // Without a stream, the length would be that of nothing.
      if (request.method === 'HEAD') return await reply.send(Readable.from([]));
      return await reply.send(storage.read(key, range ?? undefined));
    });
    done();
  });
}
