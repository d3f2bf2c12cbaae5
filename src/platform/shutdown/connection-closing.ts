import type { Socket } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/** How long a request that is already on its way may take to arrive once the port is closed, in milliseconds. */
const ARRIVAL_MS = 500;
/** How long complete requests may take to be answered after that, in milliseconds. */
const REQUESTS_TIMEOUT_MS = 15_000;
const CHECK_INTERVAL_MS = 100;

/**
 * Closes the server's connections when it closes: those without a complete request at once, the others when they are
 * answered, and what is left after `REQUESTS_TIMEOUT_MS` in any case. Node waits for all of them and stops its own
 * timeouts at that moment, so one silent client would use up the time of everything that is stopped afterwards.
 */
export function closeConnectionsOnShutdown(server: FastifyInstance, logger: Logger): void {
  /** The requests of each connection that aren't answered yet. */
  const unanswered = new Map<Socket, Set<IncomingMessage>>();

  server.server.on('connection', (socket: Socket) => {
    unanswered.set(socket, new Set());
    socket.once('close', () => unanswered.delete(socket));
  });
  server.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const requests = unanswered.get(request.socket);
    requests?.add(request);
    response.once('close', () => requests?.delete(request));
  });

  const close = (mayGoOn: (requests: Set<IncomingMessage>) => boolean) => {
    const sockets = [...unanswered].filter(([, requests]) => !mayGoOn(requests)).map(([socket]) => socket);
    for (const socket of sockets) socket.destroy();
    return sockets.length;
  };
  server.addHook('preClose', (done) => {
    const closingAt = performance.now();
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - closingAt;
      if (elapsedMs < ARRIVAL_MS) return;
      close((requests) => [...requests].some(({ complete }) => complete));
      if (elapsedMs < ARRIVAL_MS + REQUESTS_TIMEOUT_MS) return;
      const count = close(() => false);
      if (count > 0) logger.warn({ count }, 'closed connections whose requests were not answered in time');
    }, CHECK_INTERVAL_MS);
    server.server.once('close', () => clearInterval(timer));
    done();
  });
}
