import type { INestApplication } from '@nestjs/common';
import { SwaggerModule } from '@nestjs/swagger';
import { createOpenApiDocument } from './document.js';

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
