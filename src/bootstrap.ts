import { readFileSync } from 'node:fs';
import fastifyHelmet from '@fastify/helmet';
import { VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { type FastifyInstance, LogController, type RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { RouteMethods } from './common/http/route-methods.js';
import { createValidationPipe } from './common/http/validation.js';
import { createOpenApiDocument } from './common/openapi/document.js';
import type { Environment } from './config/environment.js';
import { observeHttp, requestIdOf } from './platform/observability/http-observer.js';
import { PinoLoggerService } from './platform/observability/logger.js';
import { Shutdown } from './platform/shutdown/shutdown.js';

const BODY_LIMIT_BYTES = 1024 * 1024;
const EXPOSED_HEADERS = [
  'ETag',
  'Location',
  'Retry-After',
  'RateLimit-Limit',
  'RateLimit-Remaining',
  'RateLimit-Reset',
  'X-Cache',
  'X-Request-Id',
];

type Server = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse>;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** Builds the application, ready to listen. */
export async function createApp(environment: Environment, logger: Logger): Promise<NestFastifyApplication> {
  const adapter = new FastifyAdapter({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: requestIdOf,
    requestIdHeader: false,
    trustProxy: environment.TRUST_PROXY as boolean,
    bodyLimit: BODY_LIMIT_BYTES,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  });
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forRoot(environment), adapter, {
    logger: new PinoLoggerService(logger),
    bodyParser: false,
    abortOnError: false,
  });
  const server: Server = adapter.getInstance();
  acceptJsonOnly(server);
  app.get(RouteMethods).observe(server);
  observeHttp(server, logger);
  closeConnectionsOnShutdown(server, app.get(Shutdown));

  await app.register(fastifyHelmet, {
    contentSecurityPolicy: { directives: { upgradeInsecureRequests: null } },
  });
  app.enableCors({ origin: corsOrigin(environment.CORS_ORIGINS), exposedHeaders: EXPOSED_HEADERS, maxAge: 600 });
  app.setGlobalPrefix('api', { exclude: ['health', 'health/live', 'health/ready', '.well-known/jwks.json'] });
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
  app.useGlobalPipes(createValidationPipe());
  SwaggerModule.setup('docs', app, createOpenApiDocument(app, version), {
    jsonDocumentUrl: 'docs/openapi.json',
    yamlDocumentUrl: 'docs/openapi.yaml',
    swaggerOptions: { persistAuthorization: true, displayRequestDuration: true, tryItOutEnabled: true },
    customSiteTitle: 'scalable-api',
  });
  return app;
}

/** JSON and nothing else; an empty body is no body, whatever its type says (many clients always send one). */
function acceptJsonOnly(server: Server): void {
  server.removeAllContentTypeParsers();
  const parse = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    void parse(request, body as string, done);
  });
}

/** Keep-alive clients are asked to reconnect, which leads them to another instance. */
function closeConnectionsOnShutdown(server: Server, shutdown: Shutdown): void {
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (shutdown.inProgress) void reply.header('Connection', 'close');
    done(null, payload);
  });
}

function corsOrigin(origins: string[]): boolean | string | string[] {
  if (origins.length === 0) return false;
  return origins.includes('*') ? '*' : origins;
}
