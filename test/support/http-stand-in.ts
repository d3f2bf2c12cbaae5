import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Received {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** What is answered; null: nothing, ever. */
export type Reply = { status: number; body?: string; headers?: Record<string, string> } | null;

export interface StandIn {
  url: string;
  received: Received[];
  close(): Promise<void>;
}

/** An HTTP server that speaks for one that can't be had here, and keeps what it was asked. */
export async function startStandIn(
  reply: (request: Received, count: number) => Reply,
  tls?: { cert: string; key: string },
): Promise<StandIn> {
  const received: Received[] = [];
  const answer: RequestListener = (request, response) =>
    void text(request).then((body) => {
      const { method = '', url: path = '', headers } = request;
      received.push({ method, path, headers, body });
      const given = reply({ method, path, headers, body }, received.length);
      if (given) response.writeHead(given.status, given.headers).end(given.body);
    });
  const server: Server = tls ? createTlsServer(tls, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
