import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, register } from 'prom-client';
import { Environment } from '../../config/environment.js';

/** Prometheus metrics on a port of their own, which no ingress leads to. */
@Injectable()
export class MetricsServer implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger(MetricsServer.name);
  private readonly server: Server;

  constructor(private readonly environment: Environment) {
    if (!register.getSingleMetric('process_cpu_seconds_total')) collectDefaultMetrics();
    this.server = createServer((request, response) => {
      if (request.url !== '/metrics') {
        response.writeHead(404).end();
        return;
      }
      register
        .metrics()
        .then((text) => response.writeHead(200, { 'Content-Type': register.contentType }).end(text))
        .catch((error: unknown) => {
          this.logger.error({ err: error }, 'the metrics could not be collected');
          response.writeHead(500).end();
        });
    });
  }

  async onApplicationBootstrap(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen(this.environment.METRICS_PORT, this.environment.HOST, resolve);
    });
    const { port } = this.server.address() as AddressInfo;
    this.logger.log(`metrics on port ${port}`);
  }

  onApplicationShutdown(): void {
    this.server.close();
    this.server.closeAllConnections();
  }
}
