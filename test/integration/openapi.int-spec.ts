import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { pino } from 'pino';
import { createApp } from '../../src/bootstrap.js';
import { createOpenApiDocument } from '../../src/common/openapi/document.js';
import { operationsOf } from '../../src/common/openapi/types.js';
import { MANIFESTS } from '../../src/modules.js';
import { newEnvironment } from '../support/parts.js';

// Swagger UI, the first page, those of problems, and those that mails link to: for people, not for programs. The WebSocket is in docs/asyncapi.yaml.
const OUTSIDE = /^\/($|(docs|problems|static|ws|verify-email|reset-password|unsubscribe)(\/|$))/;

let app: NestFastifyApplication;
const routes = new Set<string>();

beforeAll(async () => {
  app = await createApp(newEnvironment({ MONGODB_MIN_POOL_SIZE: '0' }), pino({ level: 'silent' }));
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) routes.add(`${each} ${url}`);
    });
  await app.init();
});
afterAll(() => app.close());

it('documents every route of the router, and no other', () => {
  const document = createOpenApiDocument(app, {
    version: '0.0.0',
    publicUrl: 'https://api.example.org',
    tags: MANIFESTS.map(({ tag }) => tag),
  });
  const documented = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
  );
  const served = [...routes].filter((route) => {
    const [method = '', url = ''] = route.split(' ');
    // HEAD comes with each GET, and CORS answers OPTIONS everywhere.
    return !['HEAD', 'OPTIONS'].includes(method) && !OUTSIDE.test(url);
  });
  expect(served.length).toBeGreaterThan(20);
  expect(documented.sort()).toEqual(served.sort());
  const tags = operationsOf(document).map(({ operation }) => operation.tags?.[0]);
  expect([...new Set(tags)]).toEqual(document.tags?.map(({ name }) => name));
});
