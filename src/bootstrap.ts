import { type INestApplication, VersioningType } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { OpenAPIObject } from '@nestjs/swagger';
import type { FastifyInstance, FastifyReply, RawServerDefault } from 'fastify';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { AppModule } from './app.module.js';
import { ApiAdapter } from './common/http/api-adapter.js';
import { allowOrigins } from './common/http/cors.js';
import { normaliseClientAddresses } from './common/http/forwarded-for.js';
import { acceptJsonOnly, letFormsPass } from './common/http/json-body.js';
import { prepareContent } from './common/http/request-content.js';
import { announceMethods, answerOptions } from './common/http/options-method.js';
import { servePublicly } from './common/http/problem-document.js';
import { checkProtocol } from './common/http/protocol.js';
import { requestIdOf } from './common/http/request-context.js';
import { refuseQueries, RouteMethods } from './common/http/route-methods.js';
import { secureHeaders } from './common/http/security-headers.js';
import { serverOptions } from './common/http/server-options.js';
import { createValidationPipe } from './common/http/validation.js';
import { serveDocs } from './common/openapi/docs.js';
import type { ServiceDescription } from './common/openapi/types.js';
import type { Environment } from './config/environment.js';
import { version } from './config/version.js';
import { MANIFESTS } from './modules.js';
import { observeHttp } from './platform/observability/http-observer.js';
import { PinoLoggerService } from './platform/observability/logger.js';
import { traceHttp } from './platform/observability/tracing/http-spans.js';
import { DatabaseWatch } from './platform/database/database-watch.js';
import { shedLoad } from './platform/overload/load-shedding.js';
import { watchRequests } from './platform/overload/requests-in-flight.js';
import { serveLocalFiles } from './platform/storage/local-files.js';
import { LocalStorage } from './platform/storage/local-storage.js';
import { LocalUrls } from './platform/storage/local-urls.js';
import { ObjectStorage } from './platform/storage/object-storage.js';
import { closeConnectionsOnShutdown } from './platform/shutdown/connection-closing.js';
import { Shutdown } from './platform/shutdown/shutdown.js';

const DOCS_PATH = '/docs';
const PUBLIC_PATHS = MANIFESTS.flatMap(({ publicPaths }) => publicPaths);
/** Paths without the prefix `/api`: the modules', and the platform's. */
const OUTSIDE_THE_API = [
  ...['/', 'health', 'health/live', 'health/ready', 'problems', 'problems/:code', 'static/:name'],
  ...PUBLIC_PATHS.map(({ path }) => path),
];

type Server = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse>;

/** Builds the application, ready to listen. */
export async function createApp(environment: Environment, logger: Logger): Promise<NestFastifyApplication> {
  servePublicly(environment.PUBLIC_URL);
  const adapter = new ApiAdapter({ ...serverOptions(environment, logger), genReqId: requestIdOf });
  const app = await NestFactory.create<NestFastifyApplication>(await AppModule.forRoot(environment), adapter, {
    logger: new PinoLoggerService(logger),
    bodyParser: false,
    abortOnError: false,
  });
  const server: Server = adapter.getInstance();
  await allowOrigins(server, environment.CORS_ORIGINS);
  normaliseClientAddresses(server);
  acceptJsonOnly(server);
  prepareContent(server);
  letFormsPass(
    server,
    PUBLIC_PATHS.filter(({ takesForms }) => takesForms).map(({ path }) => `/${path}`),
  );
  const routes = app.get(RouteMethods);
  routes.observe(server);
  if (environment.OTEL_EXPORTER_OTLP_ENDPOINT) traceHttp(server);
  observeHttp(server, logger);
  checkProtocol(server);
  watchRequests(server, app.get(DatabaseWatch));
  leaveOnShutdown(server, app.get(Shutdown));
  closeConnectionsOnShutdown(server, logger);

  secureHeaders(server, DOCS_PATH);
  await shedLoad(server, environment.MAX_EVENT_LOOP_LAG_MS);
  announceMethods(server, routes);
  answerOptions(server);
  refuseQueries(server, routes);
  setPaths(app);
  app.useGlobalPipes(createValidationPipe());
  const storage = app.get(ObjectStorage);
  if (storage instanceof LocalStorage) await serveLocalFiles(server, storage, app.get(LocalUrls));
  serveDocs(server, {
    ...describeService(environment),
    path: DOCS_PATH,
    documentedApp: () => withAllModules(app, environment, logger),
  });
  return app;
}

/** The OpenAPI document of all modules, made without a database or a server. */
export async function previewOpenApiDocument(environment: Environment, logger: Logger): Promise<OpenAPIObject> {
  const { createOpenApiDocument } = await import('./common/openapi/document.js');
  return createOpenApiDocument(await createPreview(environment, logger), describeService(environment));
}

function describeService({ PUBLIC_URL }: Environment): ServiceDescription {
  return { version, publicUrl: PUBLIC_URL, tags: MANIFESTS.map(({ tag }) => tag) };
}

function setPaths(app: INestApplication): void {
  app.setGlobalPrefix('api', { exclude: OUTSIDE_THE_API });
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
}

/** The OpenAPI document describes the whole service, whichever modules this process serves. */
async function withAllModules(
  app: INestApplication,
  environment: Environment,
  logger: Logger,
): Promise<INestApplication> {
  return environment.MODULES.length === MANIFESTS.length ? app : createPreview(environment, logger);
}

/** The whole service without instances: it only knows its routes, which is all that the OpenAPI document needs. */
async function createPreview(environment: Environment, logger: Logger): Promise<INestApplication> {
  const whole = await AppModule.forRoot({ ...environment, MODULES: MANIFESTS.map(({ name }) => name) });
  const preview = await NestFactory.create(whole, new FastifyAdapter(), {
    preview: true,
    logger: new PinoLoggerService(logger),
    abortOnError: false,
  });
  setPaths(preview);
  return preview;
}

/**
 * Keep-alive clients are asked to reconnect, which leads them to another instance. A proxy that says it would repeat a request
 * elsewhere is asked to, with an answer that takes this instance out of its rotation (docker/nginx): so nothing arrives any
 * more when the port closes.
 */
function leaveOnShutdown(server: Server, shutdown: Shutdown): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (shutdown.inProgress && request.headers['x-repeatable']) return void sendElsewhere(reply);
    done();
  });
  server.addHook('onSend', (_request, reply, payload, done) => {
    if (shutdown.leaving) void reply.header('Connection', 'close');
    done(null, payload);
  });
}

function sendElsewhere(reply: FastifyReply): void {
  void reply.status(502).type('application/problem+json').send({
    type: 'about:blank',
    title: 'Bad Gateway',
    status: 502,
    detail: 'This instance is shutting down: another one answers.',
    code: 'DEPENDENCY_UNAVAILABLE',
    requestId: reply.request.id,
  });
}
