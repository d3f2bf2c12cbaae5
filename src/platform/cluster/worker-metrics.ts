import cluster, { type Worker } from 'node:cluster';
import { AggregatorRegistry, Gauge, register } from 'prom-client';
import { type FromWorker, type MetricsSnapshot, snapshotOf, type ToWorker } from './messages.js';
import { runningWorkers } from './worker-pool.js';

/** A worker that doesn't answer within this time counts with what it said last. */
const ANSWER_TIMEOUT_MS = 900;

/** Only these can be summed up over processes that have ended; a gauge is about the present. */
const CUMULATIVE = new Set<unknown>(['counter', 'histogram']);

/**
 * The metrics of all workers as one. What ended workers had counted stays in the sums: a counter that went back would look
 * to Prometheus like a restart, and its rate would jump.
 */
export class WorkerMetrics {
  private readonly latest = new Map<number, MetricsSnapshot>();
  private readonly waiting = new Map<string, () => void>();
  private ended: MetricsSnapshot = [];
  private queries = 0;
  /** Sums are made one after the other: a worker that ends meanwhile counts once. */
  private last: Promise<unknown> = Promise.resolve();

  constructor() {
    new Gauge({
      name: 'process_start_time_seconds',
      help: 'Start time of the instance since the Unix epoch, in seconds: the primary begins before its workers',
      aggregator: 'min',
    }).set(Math.round(Date.now() / 1000 - process.uptime()));
    cluster.on('message', (worker, message: FromWorker) => {
      if (message.type !== 'metrics' && message.type !== 'last-metrics') return;
      this.latest.set(worker.id, message.metrics);
      if (message.type === 'metrics') this.waiting.get(`${worker.id}:${message.query}`)?.();
    });
    cluster.on('exit', (worker) => {
      void this.inTurn(async () => {
        const counted = (this.latest.get(worker.id) ?? []).filter(({ type }) => CUMULATIVE.has(type));
        this.latest.delete(worker.id);
        this.ended = await snapshotOf(AggregatorRegistry.aggregate([this.ended, counted]));
      });
    });
  }

  /** @returns the text that Prometheus reads */
  async collect(): Promise<string> {
    const query = ++this.queries;
    await Promise.all(runningWorkers().map((worker) => this.ask(worker, query)));
    const own = await snapshotOf(register);
    return await this.inTurn(() => AggregatorRegistry.aggregate([own, this.ended, ...this.latest.values()]).metrics());
  }

  private inTurn<T>(work: () => Promise<T>): Promise<T> {
    const outcome = this.last.then(work);
    this.last = outcome.catch(() => undefined);
    return outcome;
  }

  /** Resolves once the worker has answered, or is given up on. */
  private async ask(worker: Worker, query: number): Promise<void> {
    if (!worker.isConnected()) return;
    const key = `${worker.id}:${query}`;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ANSWER_TIMEOUT_MS);
      this.waiting.set(key, () => {
        clearTimeout(timer);
        resolve();
      });
      worker.send({ type: 'metrics', query } satisfies ToWorker);
    });
    this.waiting.delete(key);
  }
}
