import type { INestApplication } from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { createOpenApiDocument } from './document.js';

/** What the page loads. The library's folder also has its package.json, source maps and other builds. */
const FILES = new Set([
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'favicon-32x32.png',
  'favicon-16x16.png',
]);

interface SwaggerUi {
  getSystem(): { authActions: { authorizeWithPersistOption(authorization: object): void } };
}

interface SwaggerResponse {
  ok: boolean;
  url: string;
  body?: { accessToken?: string };
}

/**
 * Runs in the page: whoever has registered or logged in there is authorised for the rest, without copying a token of
 * four hundred characters.
 */
function authoriseAfterLogin(response: SwaggerResponse): SwaggerResponse {
  const accessToken = response.body?.accessToken;
  if (response.ok && accessToken && /\/auth\/(register|login|login\/mfa|refresh)$/.test(response.url)) {
    const { ui } = globalThis as unknown as { ui: SwaggerUi };
    ui.getSystem().authActions.authorizeWithPersistOption({
      bearer: { name: 'bearer', schema: { type: 'http', scheme: 'bearer' }, value: accessToken },
    });
  }
  return response;
}

/** Serves the document of an application, and the page to read and try it, at `path`. */
export function serveDocs(app: INestApplication, documented: INestApplication, path: string, version: string): void {
  serveListedFilesOnly(app.getHttpAdapter().getInstance() as FastifyInstance, path);
  SwaggerModule.setup(path, app, createOpenApiDocument(documented, version), {
    jsonDocumentUrl: `${path}/openapi.json`,
    yamlDocumentUrl: `${path}/openapi.yaml`,
    customSiteTitle: 'scalable-api',
    swaggerOptions: {
      persistAuthorization: true,
      displayRequestDuration: true,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: 0,
      responseInterceptor: authoriseAfterLogin,
    },
  });
}

/** SwaggerModule serves the whole folder of swagger-ui-dist, by a route of its own: answers 404 for what isn't in FILES. */
function serveListedFilesOnly(server: FastifyInstance, path: string): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (request.routeOptions.url !== `${path}/*` || FILES.has((request.params as { '*': string })['*'])) return done();
    reply.callNotFound();
  });
}
