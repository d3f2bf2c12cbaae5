import { type IncomingMessage, type Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';

const PATH = '/ws';
/** A token is smaller than a kilobyte. */
const MAX_MESSAGE_BYTES = 8 * 1024;

/**
 * Takes WebSockets at `/ws` of an HTTP server. Whoever asks for another upgrade, or for one elsewhere, is answered as if
 * they hadn't, which HTTP allows (RFC 9110, 7.8): `curl --http2` does it with each request.
 */
export function serveWebSockets(server: Server, accept: (socket: WebSocket, request: IncomingMessage) => void): void {
  const webSockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const [path] = (request.url ?? '').split('?');
    if (path === PATH && request.headers.upgrade?.toLowerCase() === 'websocket') {
      webSockets.handleUpgrade(request, socket, head, (webSocket) => accept(webSocket, request));
    } else {
      answerWithoutUpgrade(server, request, socket as Socket);
    }
  });
}

function answerWithoutUpgrade(server: Server, request: IncomingMessage, socket: Socket): void {
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false; // Node has let go of the connection: no further request is read from it
  response.assignSocket(socket);
  response.on('finish', () => socket.end());
  socket.on('error', () => socket.destroy());
  server.emit('request', request, response);
}
