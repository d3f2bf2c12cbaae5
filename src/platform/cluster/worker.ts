import cluster from 'node:cluster';
import { register } from 'prom-client';
import { type FromWorker, snapshotOf, STANDBY_VARIABLE, type ToWorker } from './messages.js';

/** The number of this worker, undefined in a process that is none. */
export const workerId = (): number | undefined => cluster.worker?.id;

/** Whether this process has to answer the probes while it waits for the database. */
export const answersProbesWhileWaiting = (): boolean => !cluster.isWorker || process.env[STANDBY_VARIABLE] === 'true';

/** Says that this worker takes requests; nothing in a process that is no worker. */
export function reportReady(): void {
  tell({ type: 'ready' });
}

/** Sends this worker's counters to the primary, so that sums over the workers never decrease. */
export async function reportLastMetrics(): Promise<void> {
  if (cluster.isWorker) tell({ type: 'last-metrics', metrics: await snapshotOf(register) });
}

/**
 * Handles the messages of the primary. Signals are handled by the primary: a terminal or systemd, which sends them to the whole process group, means
 * the instance, which ends once.
 */
export function obeyPrimary(stop: (reason: 'stop' | 'retire') => void): void {
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('message', (message: ToWorker) => {
    if (message.type === 'stop' || message.type === 'retire') stop(message.type);
  });
}

/** Answers the primary, which exposes the metrics of all workers. */
export function answerMetricsQueries(onError: (error: unknown) => void): void {
  process.on('message', (message: ToWorker) => {
    if (message.type !== 'metrics') return;
    snapshotOf(register)
      .then((metrics) => tell({ type: 'metrics', query: message.query, metrics }))
      .catch(onError);
  });
}

function tell(message: FromWorker): void {
  // A primary that has gone needs to know nothing; Node ends its workers.
  if (process.connected) process.send?.(message);
}
