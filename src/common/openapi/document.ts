import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { ACCESS_TOKEN, API_KEY, completeOperation } from './complete-operation.js';
import { addResponseExamples } from './examples.js';
import { shareParameters } from './parameters.js';
import { MfaRequiredProblemResponseDto, ProblemResponseDto } from './problem-response.dto.js';
import { ProblemResponses } from './problem-responses.js';
import { completeRequestSchemas } from './request-schemas.js';
import { sharedHeaders } from './response-headers.js';
import { METHODS, operationsOf, type ServiceDescription } from './types.js';

/** The group of operations that no module owns; the last one of the document. */
const HEALTH_TAG = { name: 'Health', description: 'Probes, for orchestrators and operators' };

/** The OpenAPI 3.1 document of everything the process serves. */
export function createOpenApiDocument(app: INestApplication, description: ServiceDescription): OpenAPIObject {
  const service = { ...description, tags: [...description.tags, HEALTH_TAG] };
  const document = SwaggerModule.createDocument(app, describeService(service), {
    operationIdFactory: (_controller, method) => method,
    extraModels: [ProblemResponseDto, MfaRequiredProblemResponseDto],
  });
  const problems = new ProblemResponses();
  for (const { operation, ...place } of operationsOf(document)) completeOperation(operation as never, place, problems);
  shareParameters(document);
  completeRequestSchemas(document);
  addResponseExamples(document);
  sortOperations(document, service);
  const { components: responses, examples } = problems;
  document.components = { ...document.components, responses, examples };
  document.components.headers = sharedHeaders(document);
  return document;
}

function describeService({ version, publicUrl, tags }: ServiceDescription) {
  const builder = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('scalable-api')
    .setDescription(describeDocument(publicUrl))
    .setVersion(version)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(publicUrl, 'This service')
    .setExternalDoc('Events and WebSocket messages (AsyncAPI)', `${publicUrl}/docs/asyncapi.yaml`)
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        bearerFormat: 'JWT',
        description: 'The `accessToken` of a log-in, without the word Bearer. Valid for 15 minutes.',
      },
      ACCESS_TOKEN,
    )
    .addBearerAuth(
      {
        type: 'http',
        scheme: 'bearer',
        description:
          'An API key, without the word Bearer. Operations list the scopes that it needs; `write` includes `read`.',
      },
      API_KEY,
    );
  for (const { name, description } of tags) builder.addTag(name, description);
  const config = builder.build();
  // The builder's own method would put an empty address beside it, which is no valid one.
  config.info.contact = { name: 'scalable-api' };
  return config;
}

function describeDocument(publicUrl: string): string {
  return `
Errors are problem documents (RFC 9457) with a stable \`code\`. Lists are paged by cursors. Single resources carry an
\`ETag\`; send it back in \`If-Match\` to change only what you have seen. Where an answer has none, conditions can name
what is there by \`*\` alone.

Where an operation needs a step-up, its body takes your \`password\`, and a \`code\` if a second factor is on. Without them
the answer is 403 \`STEP_UP_REQUIRED\`, whose \`methods\` name what is missing. Where it needs a verified address, the
answer is 403 \`EMAIL_UNVERIFIED\` until the link in the verification mail has been followed.

This document: [JSON](${publicUrl}/docs/openapi.json), [YAML](${publicUrl}/docs/openapi.yaml).
`.trim();
}

/** Groups operations by their tag, and puts reading before deletion in each path. */
function sortOperations(document: OpenAPIObject, service: ServiceDescription): void {
  const tags = service.tags.map(({ name }) => name);
  const groupOf = (item: OpenAPIObject['paths'][string]) =>
    tags.indexOf(METHODS.map((method) => item[method]?.tags?.[0]).find((tag) => tag !== undefined) ?? '');
  const sorted = Object.entries(document.paths).map(([path, item]) => {
    const operations = METHODS.flatMap((method) => (item[method] ? [[method, item[method]] as const] : []));
    return [path, Object.fromEntries(operations)] as const;
  });
  document.paths = Object.fromEntries(sorted.sort(([, a], [, b]) => groupOf(a) - groupOf(b)));
}
