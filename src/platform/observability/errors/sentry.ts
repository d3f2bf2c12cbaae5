import {
  createStackParser,
  createTransport,
  type ErrorEvent,
  Scope,
  type TransportMakeRequestResponse,
  type TransportRequest,
} from '@sentry/core';
import { nodeStackLineParser, ServerRuntimeClient } from '@sentry/core/server';
import type { Logger } from 'pino';
import { isDatabaseUnreachable } from '../../../common/errors/database-unreachable.js';
import { requestContext } from '../../../common/http/request-context.js';
import type { ProcessEnvironment } from '../../../config/areas/process.environment.js';
import { version } from '../../../config/version.js';
import { scrub, withoutValues } from '../scrub.js';
import { traceIds } from '../tracing/spans.js';
import { reportErrorsTo } from './report-error.js';

const SEND_TIMEOUT_MS = 5000;
/** How long a process that has crashed may live to say so. */
const LAST_WORDS_MS = 2000;

/**
 * Sends errors that are our own fault to Sentry: with type, stack, release, environment, user id and trace, and nothing of what
 * a request or a user said. A process that crashes says so first.
 *
 * @returns what sends the rest
 */
export function startErrorReports(
  { NODE_ENV }: Pick<ProcessEnvironment, 'NODE_ENV'>,
  dsn: string,
  logger: Logger,
): () => Promise<void> {
  const client = new ServerRuntimeClient({
    dsn,
    environment: NODE_ENV,
    release: `scalable-api@${version}`,
    platform: 'node',
    runtime: { name: 'node', version: process.version },
    // Those would collect: headers, addresses, what was logged, whom it asked.
    integrations: [],
    stackParser: createStackParser(nodeStackLineParser()),
    transport: (options) => createTransport(options, (request) => post(options.url, request)),
    beforeSend: scrubMessages,
  });
  client.init();
  const report = (error: Error, context: string) => {
    // No database, no fault of ours: that is what alerts are for.
    if (isDatabaseUnreachable(error)) return;
    client.captureException(error, undefined, describe(context));
  };
  reportErrorsTo(report);
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'crashed');
    report(error, 'uncaughtException');
    void client.close(LAST_WORDS_MS).then(() => process.exit(1));
  });
  return async () => {
    await client.close();
  };
}

function describe(context: string): Scope {
  const scope = new Scope();
  const { userId, requestId } = requestContext.getStore() ?? {};
  // Clients may choose the id of a request.
  scope.setTags({ context, request_id: requestId && scrub(requestId) });
  if (userId !== undefined) scope.setUser({ id: userId });
  const ids = traceIds();
  if (ids) scope.setContext('trace', ids);
  return scope;
}

function scrubMessages(event: ErrorEvent): ErrorEvent {
  for (const exception of event.exception?.values ?? []) exception.value = withoutValues(exception.value ?? '');
  return event;
}

async function post(url: string, { body }: TransportRequest): Promise<TransportMakeRequestResponse> {
  const signal = AbortSignal.timeout(SEND_TIMEOUT_MS);
  const { status, headers } = await fetch(url, { method: 'POST', body: body as string, signal });
  return {
    statusCode: status,
    headers: { 'x-sentry-rate-limits': headers.get('x-sentry-rate-limits'), 'retry-after': headers.get('retry-after') },
  };
}
