import cluster from 'node:cluster';
import { availableParallelism } from 'node:os';
import { ConfigurationError } from './config/environment.js';
import { loadEnvironment } from './config/load-environment.js';

try {
  const environment = await loadEnvironment(process.env);
  // Loaded when needed: a primary serves nothing, and stays small.
  if (environment.WORKERS !== 1 && cluster.isPrimary) {
    const { runCluster } = await import('./platform/cluster/primary.js');
    await runCluster(environment, environment.WORKERS === 'auto' ? availableParallelism() : environment.WORKERS);
  } else {
    const { serve } = await import('./serve.js');
    await serve(environment);
  }
} catch (error) {
  console.error(error instanceof ConfigurationError ? error.message : error);
  process.exit(1);
}
