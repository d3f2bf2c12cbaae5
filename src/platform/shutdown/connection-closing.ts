import type { Socket } from 'node:net';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

/** How long a request that is already on its way may take to arrive once the port is closed, in milliseconds. */
const ARRIVAL_MS = 500;
/** The same for the first request of a connection: its client has just opened it, to send one. */
const FIRST_ARRIVAL_MS = 2000;
/** How long complete requests may take to be answered after that, in milliseconds. */
const REQUESTS_TIMEOUT_MS = 15_000;
const CHECK_INTERVAL_MS = 100;

interface Connection {
  /** It has brought no complete request yet. */
  isNew: boolean;
  /** Its requests that aren't answered yet. */
  unanswered: Set<IncomingMessage>;
}

/**
 * Closes the server's connections when it closes: those without a complete request as soon as none can be on its way,
 * the others when they are answered, and what is left after `REQUESTS_TIMEOUT_MS` in any case. Node waits for all of them and stops its own
 * timeouts at that moment, so one silent client would use up the time of everything that is stopped afterwards.
 */
export function closeConnectionsOnShutdown(server: FastifyInstance, logger: Logger): void {
  const connections = new Map<Socket, Connection>();

  server.server.on('connection', (socket: Socket) => {
    connections.set(socket, { isNew: true, unanswered: new Set() });
    socket.once('close', () => connections.delete(socket));
  });
  server.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = connections.get(request.socket);
    if (!connection) return;
    connection.unanswered.add(request);
    request.once('end', () => (connection.isNew = false));
    response.once('close', () => {
      connection.isNew = false;
      connection.unanswered.delete(request);
    });
  });

  const close = (mayGoOn: (connection: Connection) => boolean) => {
    const sockets = [...connections].filter(([, connection]) => !mayGoOn(connection)).map(([socket]) => socket);
    for (const socket of sockets) socket.destroy();
    return sockets.length;
  };
  server.addHook('preClose', (done) => {
    const closingAt = performance.now();
    const timer = setInterval(() => {
      const elapsedMs = performance.now() - closingAt;
      if (elapsedMs < ARRIVAL_MS) return;
      const mayArrive = elapsedMs < FIRST_ARRIVAL_MS;
      close(({ isNew, unanswered }) => (isNew && mayArrive) || [...unanswered].some(({ complete }) => complete));
      if (elapsedMs < ARRIVAL_MS + REQUESTS_TIMEOUT_MS) return;
      const count = close(() => false);
      if (count > 0) logger.warn({ count }, 'closed connections whose requests were not answered in time');
    }, CHECK_INTERVAL_MS);
    server.server.once('close', () => clearInterval(timer));
    done();
  });
}
