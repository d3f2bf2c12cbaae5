import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { register } from 'prom-client';

export interface MetricsEndpoint {
  /** The one it listens on. */
  port: number;
  close(): void;
}

/**
 * Serves `/metrics`, and nothing else, on a port of its own.
 *
 * @param collect gives the text that Prometheus reads
 * @throws Error where the port can't be had
 */
export async function exposeMetrics(
  { METRICS_PORT, HOST }: { METRICS_PORT: number; HOST: string },
  collect: () => Promise<string>,
  onError: (error: unknown) => void,
): Promise<MetricsEndpoint> {
  const server: Server = createServer((request, response) => {
    if (request.url !== '/metrics') {
      response.writeHead(404).end();
      return;
    }
    collect()
      .then((text) => response.writeHead(200, { 'Content-Type': register.contentType }).end(text))
      .catch((error: unknown) => {
        onError(error);
        response.writeHead(500).end();
      });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(METRICS_PORT, HOST, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
