import cluster from 'node:cluster';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, register } from 'prom-client';
import { HttpEnvironment } from '../../config/areas/http.environment.js';
import { answerMetricsQueries, reportLastMetrics } from '../cluster/worker.js';
import './memory-metrics.js';
import { exposeMetrics, type MetricsEndpoint } from './metrics-endpoint.js';

/** Prometheus metrics on a port of their own, which no ingress leads to; those of a worker go out with its primary's. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(MetricsServer.name);
  private endpoint?: MetricsEndpoint;

  constructor(private readonly environment: HttpEnvironment) {
    if (!register.getSingleMetric('process_cpu_seconds_total')) collectDefaultMetrics();
  }

  async onApplicationBootstrap(): Promise<void> {
    const onError = (error: unknown) => this.logger.error({ err: error }, 'the metrics could not be collected');
    if (cluster.isWorker) return answerMetricsQueries(onError);
    this.endpoint = await exposeMetrics(this.environment, () => register.metrics(), onError);
    this.logger.log(`metrics on port ${this.endpoint.port}`);
  }

  async onApplicationShutdown(): Promise<void> {
    this.endpoint?.close();
    await reportLastMetrics();
  }
}
