import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import { ProblemError } from '../../../common/errors/problem.js';
import { answerProblem, isBeingAnswered } from '../../../common/http/raw-answers.js';
import { protocolProblemOf } from '../../../common/http/protocol.js';
import { UpgradeRequiredError } from './upgrade-required.error.js';

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
  webSockets.on('wsClientError', (_error, socket, request) => {
    const problem = new ProblemError('BAD_REQUEST', 'The handshake is not valid: see RFC 6455, 4.2.1.');
    answerProblem(problem, request, responseOn(socket as Socket, request));
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    // A client that doesn't wait for the answer before can't be answered here: a connection has one answer at a time.
    if (isBeingAnswered(socket)) return void socket.destroy();
    const [path] = (request.url ?? '').split('?');
    if (path !== PATH || request.headers.upgrade?.toLowerCase() !== 'websocket') {
      server.emit('request', request, responseOn(socket as Socket, request));
      return;
    }
    const problem = protocolProblemOf(request) ?? handshakeProblemOf(request) ?? handler.refuse(request);
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

/** What is wrong with a handshake before its origin counts; `ws` finds the rest. */
function handshakeProblemOf({ method, headers }: IncomingMessage): ProblemError | null {
  if (method !== 'GET') {
    return new ProblemError('METHOD_NOT_ALLOWED', 'Allowed here: GET.', { headers: { Allow: 'GET' } });
  }
  const { 'sec-websocket-version': version = '13' } = headers;
  return version === '13' ? null : new UpgradeRequiredError();
}
