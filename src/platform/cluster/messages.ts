import type { MetricObjectWithValues, MetricValue, Registry } from 'prom-client';

/** The state of a process's metrics, as prom-client hands it between processes. */
export type MetricsSnapshot = MetricObjectWithValues<MetricValue<string>>[];

export const snapshotOf = (registry: Registry): Promise<MetricsSnapshot> => registry.getMetricsAsJSON();

/** What a worker tells the primary. */
export type FromWorker =
  | { type: 'ready' }
  | { type: 'metrics'; query: number; metrics: MetricsSnapshot }
  /** The last message: nothing is counted after it. */
  | { type: 'last-metrics'; metrics: MetricsSnapshot };

/**
 * What the primary asks of a worker. `stop` begins the end of the whole instance; `retire` that of this worker alone, so
 * the instance stays ready.
 */
export type ToWorker = { type: 'stop' } | { type: 'retire' } | { type: 'metrics'; query: number };

/** Set for the worker that answers the probes while there is no other: it lives, but waits for the database. */
export const STANDBY_VARIABLE = 'WORKER_ANSWERS_PROBES';
