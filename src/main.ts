import { Logger } from '@nestjs/common';
import { createApp } from './bootstrap.js';
import { ConfigurationError, type Environment } from './config/environment.js';
import { loadEnvironment } from './config/load-environment.js';
import { IndexSynchronizer } from './platform/database/index-synchronizer.js';
import { waitForDatabase } from './platform/database/wait-for-database.js';
import { createLogger } from './platform/observability/logger.js';
import { listenOnStandby } from './platform/health/standby.js';
import { Shutdown } from './platform/shutdown/shutdown.js';

/** After the drain: how long requests and work in progress may take before the process ends anyway, in milliseconds. */
const CLOSE_TIMEOUT_MS = 25_000;

async function start(environment: Environment): Promise<void> {
  const logger = createLogger(environment.LOG_LEVEL);
  const leaveStandby = await listenOnStandby(environment);
  await waitForDatabase(environment, (message) => logger.warn(message));
  const app = await createApp(environment, logger);
  if (environment.NODE_ENV !== 'production') await app.get(IndexSynchronizer).synchronize();
  await leaveStandby();
  await app.listen(environment.PORT, environment.HOST);
  new Logger('Service').log(`listening on ${await app.getUrl()}`);

  const stop = async (signal: string) => {
    await app.get(Shutdown).begin(signal);
    setTimeout(() => process.exit(1), CLOSE_TIMEOUT_MS).unref();
    await app.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    // The second signal of a kind finds no listener and ends the process at once.
    process.once(signal, () => void stop(signal));
  }
}

try {
  await start(await loadEnvironment(process.env));
} catch (error) {
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exit(1);
}
