import type { Socket } from 'node:net';
import { type FastifyBaseLogger, type FastifyHttpOptions, LogController, type RawServerDefault } from 'fastify';
import type { Logger } from 'pino';
import type { HttpEnvironment } from '../../config/areas/http.environment.js';
import { answerClientError, answerUnreadablePath } from './client-errors.js';
import { trustedProxies } from './trusted-proxies.js';

const BODY_LIMIT_BYTES = 1024 * 1024;
/** The request line and all header fields together; beyond it 431. */
const HEADER_LIMIT_BYTES = 16 * 1024;
/** The header fields arrive in one packet or two, even from afar. */
const HEADERS_TIMEOUT_MS = 10_000;
/** How often late requests are looked for. */
const TIMEOUT_CHECK_INTERVAL_MS = 1000;
/** Above the 60 s after which load balancers drop idle connections: the one that closes must not be the server. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;
/** A connection on which nothing moves, not even the answer: its client has gone, or pretends to be slow. */
const STALLED_TIMEOUT_MS = 120_000;

/** What the HTTP server accepts: from whom, how much and how slowly. */
export function serverOptions(environment: HttpEnvironment, logger: Logger) {
  const requestTimeoutMs = environment.REQUEST_TIMEOUT_SECONDS * 1000;
  return {
    loggerInstance: logger,
    // Log lines have the request's id from its context.
    childLoggerFactory: (parent: FastifyBaseLogger) => parent,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    // `OPTIONS *` is about the server as a whole; the router knows paths alone, and no page has this one.
    rewriteUrl: ({ url = '' }: { url?: string }) => (url === '*' ? '/*' : url),
    trustProxy: trustedProxies(environment.TRUST_PROXY),
    bodyLimit: BODY_LIMIT_BYTES,
    http: {
      maxHeaderSize: HEADER_LIMIT_BYTES,
      // Node would answer without a body; `checkProtocol` answers.
      requireHostHeader: false,
      headersTimeout: Math.min(HEADERS_TIMEOUT_MS, requestTimeoutMs),
      connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    },
    requestTimeout: requestTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    connectionTimeout: STALLED_TIMEOUT_MS,
    frameworkErrors: answerUnreadablePath,
    clientErrorHandler: (error: Error, socket: Socket) => answerClientError(error, socket, logger),
    forceCloseConnections: 'idle',
    return503OnClosing: false,
  } satisfies FastifyHttpOptions<RawServerDefault, Logger>;
}
