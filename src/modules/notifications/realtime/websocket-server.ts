import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { ProblemError } from '../../../common/errors/problem.js';
import { problemHeaders, toProblemDocument } from '../../../common/http/problem-document.js';
import { requestIdOf } from '../../../platform/observability/http-observer.js';

const PATH = '/ws';
/** A token is smaller than a kilobyte. */
const MAX_MESSAGE_BYTES = 8 * 1024;
/** How long a client has to answer a close frame. Its connection is cut then. */
const CLOSE_TIMEOUT_MS = 5000;

const OPTIONS: ServerOptions & { closeTimeout: number } = {
  noServer: true,
  maxPayload: MAX_MESSAGE_BYTES,
  perMessageDeflate: false,
  closeTimeout: CLOSE_TIMEOUT_MS, // which @types/ws doesn't know
  // There is no subprotocol. Without this, ws would select the first one that the client offers.
  handleProtocols: () => false,
};

export interface UpgradeHandler {
  /** @returns why the handshake is refused; null if it may go on */
  refuse(request: IncomingMessage): ProblemError | null;
  accept(socket: WebSocket, request: IncomingMessage): void;
}

/**
 * Takes WebSockets at `/ws` of an HTTP server. A request for another upgrade, or for one elsewhere, is answered as if it
 * weren't one, which HTTP allows (RFC 9110, 7.8): `curl --http2` does it with each request.
 */
export function serveWebSockets(server: Server, handler: UpgradeHandler): void {
  const webSockets = new WebSocketServer(OPTIONS);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path] = (request.url ?? '').split('?');
    if (path !== PATH || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      server.emit('request', request, responseOn(socket as Socket, request));
      return;
    }
    const problem = handler.refuse(request);
    if (problem) answerProblem(problem, request, responseOn(socket as Socket, request));
    else webSockets.handleUpgrade(request, socket, head, (webSocket) => handler.accept(webSocket, request));
  });
}

/** An ordinary answer to a request for an upgrade. The connection ends with it: Node reads no further request from it. */
function responseOn(socket: Socket, request: IncomingMessage): ServerResponse {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on('finish', () => socket.end());
  socket.on('error', () => socket.destroy());
  return response;
}

function answerProblem(problem: ProblemError, request: IncomingMessage, response: ServerResponse): void {
  const id = requestIdOf(request);
  const body = JSON.stringify(toProblemDocument(problem, { id, url: request.url ?? PATH }));
  const headers = { ...problemHeaders(problem), 'X-Request-Id': id, 'X-Content-Type-Options': 'nosniff' };
  response.writeHead(problem.status, { ...headers, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
