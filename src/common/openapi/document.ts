import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { completeOperation } from './complete-operation.js';
import { withoutNullable } from './nullable.js';
import { removePatchDefaults } from './patch-defaults.js';
import { ProblemResponseDto } from './problem-response.dto.js';

const DESCRIPTION = `
Register or log in here, and everything else is authorised.

Errors are problem documents (RFC 9457) with a stable \`code\`. Lists are paged by cursors. Single resources carry an
\`ETag\`; send it back in \`If-Match\` to change only what you have seen.
`.trim();

/** What the Authorize dialog asks for. */
const ACCESS_TOKEN =
  'The `accessToken` that register or log-in answered, or an API key, without the word Bearer. An access token lasts 15 minutes.';

const TAGS = {
  Auth: 'Accounts, log-in, sessions, and what guards them',
  Users: 'Profiles, roles and preferences',
  Tasks: 'Tasks and their statistics',
  Notifications: 'The inbox',
  Health: 'Probes, for orchestrators and operators',
};

/** The OpenAPI 3.1 document of everything the process serves. */
export function createOpenApiDocument(app: INestApplication, version: string): OpenAPIObject {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('scalable-api')
    .setDescription(DESCRIPTION)
    .setVersion(version)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/', 'This service')
    .addBearerAuth({ type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: ACCESS_TOKEN }, 'bearer');
  for (const [name, description] of Object.entries(TAGS)) builder.addTag(name, description);
  const config = builder.build();
  // The builder's own method would put an empty address beside it, which is no valid one.
  config.info.contact = { name: 'scalable-api' };
  const document = SwaggerModule.createDocument(app, config, {
    operationIdFactory: (_controller, method) => method,
    extraModels: [ProblemResponseDto],
  });
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const operation = item[method];
      if (operation) completeOperation(operation as Parameters<typeof completeOperation>[0], path);
    }
  }
  removePatchDefaults(document);
  return withoutNullable(document);
}
