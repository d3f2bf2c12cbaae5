import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ObservabilityEnvironment } from '../../config/areas/observability.environment.js';
import type { ProcessEnvironment } from '../../config/areas/process.environment.js';

/** How long the end of the process may wait for what is still to be sent, in milliseconds. */
const FLUSH_TIMEOUT_MS = 3000;

/**
 * Sends traces and metrics (OTLP) and reports of errors (Sentry) to where the environment says. What that takes is loaded only
 * then.
 *
 * @returns what sends the rest, as far as that is possible in three seconds
 */
export async function startReporting(
  environment: ObservabilityEnvironment & Pick<ProcessEnvironment, 'NODE_ENV'>,
  logger: Logger,
): Promise<() => Promise<void>> {
  const endings: (() => Promise<void>)[] = [];
  if (environment.OTEL_EXPORTER_OTLP_ENDPOINT) {
    const { startTelemetry } = await import('./tracing/telemetry.js');
    endings.push(startTelemetry(environment, logger));
  }
  if (environment.SENTRY_DSN) {
    const { startErrorReports } = await import('./errors/sentry.js');
    endings.push(startErrorReports(environment, environment.SENTRY_DSN, logger));
  }
  return async () => {
    await Promise.race([Promise.allSettled(endings.map((end) => end())), delay(FLUSH_TIMEOUT_MS)]);
  };
}
