import type { Environment } from '../../config/environment.js';
import { warnOfUnknownVariables } from '../../config/unknown-variables.js';
import { createLogger } from '../observability/logger.js';
import { exposeMetrics } from '../observability/metrics-endpoint.js';
import { warnOfEndOfLife } from '../observability/node-support.js';
import { CLOSE_TIMEOUT_MS } from '../shutdown/shutdown.js';
import { StopSignals } from '../shutdown/stop-signals.js';
import { WorkerMetrics } from './worker-metrics.js';
import { WorkerPool } from './worker-pool.js';

/**
 * Runs the service as several processes on one port. SIGHUP replaces them one by one, without a request lost; SIGTERM ends
 * them all, and the second one at once.
 *
 * @param size how many
 */
export async function runCluster(environment: Environment, size: number): Promise<void> {
  const signals = new StopSignals(['SIGTERM', 'SIGINT']);
  const logger = createLogger(environment.LOG_LEVEL);
  warnOfEndOfLife(logger);
  warnOfUnknownVariables(logger);
  const metrics = new WorkerMetrics();
  const endpoint = await exposeMetrics(
    environment,
    () => metrics.collect(),
    (error) => logger.error({ err: error }, 'the metrics could not be collected'),
  );
  logger.info(`metrics on port ${endpoint.port}`);
  const pool = new WorkerPool({
    size,
    logger,
    endTimeoutMs: environment.SHUTDOWN_DRAIN_SECONDS * 1000 + CLOSE_TIMEOUT_MS + 5000,
    giveUp: () => process.exit(1),
  });
  signals.onSignal((signal) => {
    logger.info(`${signal}: ending ${size} workers`);
    void pool.stop().then((exitCode) => process.exit(exitCode));
  });
  process.on('SIGHUP', () => void pool.roll());
  await pool.start();
}
