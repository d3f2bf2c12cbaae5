import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createRequire } from 'node:module';
import type { INestApplication } from '@nestjs/common';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance } from 'fastify';
import { docsPage } from './docs-page.js';
import { PublishedText } from './published-text.js';
import type { ServiceDescription } from './types.js';

const YAML = 'application/yaml; charset=utf-8';
const ASYNCAPI = new URL('../../../docs/asyncapi.yaml', import.meta.url);
const SCRIPT = new URL('./docs-script.js', import.meta.url);

/** What the page loads of Swagger UI. The package's folder also has its package.json, source maps and other builds. */
const FILES = new Set([
  'swagger-ui.css',
  'swagger-ui-bundle.js',
  'swagger-ui-standalone-preset.js',
  'favicon-32x32.png',
  'favicon-16x16.png',
]);

export interface DocsOptions extends ServiceDescription {
  /** Where the page is; the documents are below it. */
  path: string;
  /** An application with all modules; called at the first request for the document. */
  documentedApp: () => Promise<INestApplication>;
}

/**
 * Serves the OpenAPI and AsyncAPI documents, and Swagger UI. The OpenAPI document is made at the first request for it: most
 * processes never need it, and making it takes as long as a noticeable part of their start.
 */
export function serveDocs(server: FastifyInstance, options: DocsOptions): void {
  // Not before the application starts: only from then on, errors become problem documents.
  void server.register((docs) => addRoutes(docs, options));
}

async function addRoutes(server: FastifyInstance, options: DocsOptions): Promise<void> {
  const { path } = options;
  let document: Promise<OpenAPIObject> | undefined;
  const openApi = async () => {
    document ??= buildDocument(options);
    document.catch(() => (document = undefined));
    return await document;
  };
  const texts = {
    '/openapi.json': new PublishedText('application/json; charset=utf-8', async () => JSON.stringify(await openApi())),
    '/openapi.yaml': new PublishedText(YAML, async () => {
      const { default: yaml } = await import('yaml');
      return yaml.stringify(await openApi(), { aliasDuplicateObjects: false });
    }),
    '/asyncapi.yaml': new PublishedText(YAML, () => readFile(ASYNCAPI)),
    '/docs-script.js': new PublishedText('text/javascript; charset=utf-8', () => readFile(SCRIPT)),
  };
  for (const [name, text] of Object.entries(texts)) {
    server.get(path + name, (request, reply) => text.send(request, reply));
  }
  for (const address of [path, `${path}/`]) {
    const page = docsPage(address === path ? `.${path}/` : './');
    server.get(address, (_request, reply) => reply.type('text/html; charset=utf-8').send(page));
  }
  await server.register(import('@fastify/static'), {
    root: dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json')),
    prefix: `${path}/`,
    decorateReply: false,
    index: false,
    allowedPath: (name) => FILES.has(name.replace(/^\//, '')),
  });
}

async function buildDocument({ documentedApp, ...service }: DocsOptions): Promise<OpenAPIObject> {
  const { createOpenApiDocument } = await import('./document.js');
  return createOpenApiDocument(await documentedApp(), service);
}
