import type { FastifyInstance } from 'fastify';
import { NotFoundError } from '../../common/errors/problem.js';
import type { LocalStorage } from './local-storage.js';
import { LOCAL_FILES_PATH, type LocalUrls, type SignedRequest } from './local-urls.js';
import { DOWNLOAD_TTL_SECONDS } from './object-storage.js';

interface FileRequest {
  Params: { '*': string };
  Querystring: SignedRequest['query'];
}

/**
 * Serves the presigned URLs of the local disk. Routes of the server itself, outside the API: whoever holds a URL may use
 * it, a body is taken as it comes, whatever its type, and nothing of it is kept in memory.
 */
export async function serveLocalFiles(server: FastifyInstance, storage: LocalStorage, urls: LocalUrls): Promise<void> {
  await server.register((files, _options, done) => {
    // Whoever answers errors elsewhere is set only after this has run.
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
      return await reply
        .headers({
          'Content-Type': object.contentType,
          'Content-Length': object.size,
          'Content-Disposition': request.query.disposition,
          'Cache-Control': `private, max-age=${DOWNLOAD_TTL_SECONDS}`,
          // Another origin's page may show a picture: a store elsewhere would let it, too.
          'Cross-Origin-Resource-Policy': 'cross-origin',
        })
        .send(storage.read(key));
    });
    done();
  });
}
