import cluster from 'node:cluster';
import { Logger } from '@nestjs/common';
import { createApp } from './bootstrap.js';
import type { Environment } from './config/environment.js';
import { warnOfUnknownVariables } from './config/unknown-variables.js';
import { answersProbesWhileWaiting, obeyPrimary, reportReady } from './platform/cluster/worker.js';
import { waitForDatabase } from './platform/database/wait-for-database.js';
import { listenOnStandby } from './platform/health/standby.js';
import { Migrator } from './platform/migrations/migrator.js';
import { createLogger } from './platform/observability/logger.js';
import { warnOfEndOfLife } from './platform/observability/node-support.js';
import { startReporting } from './platform/observability/reporting.js';
import { CLOSE_TIMEOUT_MS, Shutdown } from './platform/shutdown/shutdown.js';
import { StopSignals } from './platform/shutdown/stop-signals.js';

/** Serves requests in this process until a signal, or in a worker the primary, stops it. */
export async function serve(environment: Environment): Promise<void> {
  // A worker is stopped by its primary, which receives the signals. SIGHUP means the end of the terminal here.
  const signals = cluster.isWorker ? undefined : new StopSignals(['SIGTERM', 'SIGINT', 'SIGHUP']);
  const logger = createLogger(environment.LOG_LEVEL);
  if (!cluster.isWorker) {
    warnOfEndOfLife(logger);
    warnOfUnknownVariables(logger);
  }
  const sendRest = await startReporting(environment, logger);
  const standIn = answersProbesWhileWaiting() ? () => listenOnStandby(environment) : undefined;
  await waitForDatabase(environment, (message) => logger.warn(message), standIn);
  const app = await createApp(environment, logger);
  if (environment.NODE_ENV !== 'production') await app.get(Migrator).migrate({ contract: false });

  const close = async (drained: Promise<void>) => {
    await drained;
    setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
    await app.close();
    await sendRest();
    process.exit(0);
  };
  await app.init();
  const shutdown = app.get(Shutdown);
  // Once there is something to close, and before the first request can come.
  signals?.onSignal((signal) => void close(shutdown.begin(signal)));
  await app.listen(environment.PORT, environment.HOST);
  new Logger('Service').log(`listening on ${await app.getUrl()}`);
  if (cluster.isWorker) {
    obeyPrimary((order) => void close(order === 'stop' ? shutdown.begin('the instance stops') : shutdown.retire()));
    reportReady();
  }
}
