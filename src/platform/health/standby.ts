import { createServer } from 'node:http';
import type { HttpEnvironment } from '../../config/areas/http.environment.js';

/**
 * Answers the probes while the service waits for its database: it lives, but isn't ready. Without it, an orchestrator
 * would restart every instance that starts during an outage of the database. Then alone: a proxy that knows no readiness
 * sends requests to every instance that listens, although others could serve them. Where none listens, it asks another instance.
 *
 * @returns how to end it, once the port is free again
 */
export async function listenOnStandby({ PORT, HOST }: HttpEnvironment): Promise<() => Promise<void>> {
  const server = createServer((request, response) => {
    const live = request.url === '/health/live';
    response.writeHead(live ? 200 : 503, {
      'Content-Type': 'application/json; charset=utf-8',
      'Retry-After': '1',
      Connection: 'close',
    });
    response.end(JSON.stringify({ status: live ? 'ok' : 'starting' }));
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(PORT, HOST, resolve));
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      // Every request is answered when it arrives: what is left has sent no complete one, and would delay the start.
      server.closeAllConnections();
    });
}
