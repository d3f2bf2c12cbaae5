import type { IncomingMessage, Server } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { Counter } from 'prom-client';
import type { WebSocket } from 'ws';
import { ProblemError } from '../../../common/errors/problem.js';
import { ClientAddresses } from '../../../common/http/client-addresses.js';
import { networkOf } from '../../../common/http/client-network.js';
import { HttpEnvironment } from '../../../config/areas/http.environment.js';
import { Revocations } from '../../../platform/revocation/revocations.js';
import { AllowedOrigins } from './allowed-origins.js';
import { CLOSE } from './close-codes.js';
import { Connections } from './connections.js';
import { type Admission, Handshake } from './handshake.js';
import { InboxFeed } from './inbox-feed.js';
import { LiveConnection } from './live-connection.js';
import { TokenExpiryWatch } from './token-expiry-watch.js';
import { UnauthenticatedSockets } from './unauthenticated-sockets.js';
import { serveWebSockets } from './websocket-server.js';

const AUTH_TIMEOUT_MS = 5000;
const RETRY_AFTER_SECONDS = 10;
/** Connections that are being authenticated, and those that are closing, count too. */
const MAX_OF_A_USER = 10;
const HEARTBEAT_MS = 15_000;
/** Longer than an access token lives, and far shorter than a session can go on unused. */
const MAX_AGE_MS = 12 * 3_600_000;
/** How long clients have to say good-bye when the process ends. */
const GOODBYE_MS = 2000;

const closed = new Counter({
  name: 'websocket_closed_total',
  help: 'WebSockets that were closed, by the code (1006: broken off)',
  labelNames: ['code'],
});

/** The WebSocket at `/ws`: who may connect, and for how long. What clients are sent is `LiveConnection`'s. */
@Injectable()
export class LiveGateway implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(LiveGateway.name);
  private readonly sockets = new Set<WebSocket>();
  private readonly unauthenticated = new UnauthenticatedSockets();
  private readonly addresses: ClientAddresses;
  private heartbeat?: NodeJS.Timeout;
  private closing = false;

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly handshake: Handshake,
    private readonly revocations: Revocations,
    private readonly connections: Connections,
    private readonly feed: InboxFeed,
    private readonly origins: AllowedOrigins,
    private readonly tokenExpiryWatch: TokenExpiryWatch,
    environment: HttpEnvironment,
  ) {
    this.addresses = new ClientAddresses(environment.TRUST_PROXY);
  }

  onApplicationBootstrap(): void {
    const server = this.adapterHost.httpAdapter.getHttpServer() as Server;
    serveWebSockets(server, {
      refuse: (request) => this.refuse(request),
      accept: (socket, request) => this.accept(socket, request),
    });
    this.revocations.onEnding(({ kind, subject }) => {
      const concerned = this.connections.of(kind === 'session' ? 'session' : 'user', subject);
      for (const connection of concerned) {
        if (this.revocations.hasEnded(connection.subject)) this.endOfSession(connection);
      }
    });
    this.heartbeat = setInterval(() => this.beat(), HEARTBEAT_MS);
  }

  /** After the drain: by now a load balancer sends clients that connect again to another instance. */
  async beforeApplicationShutdown(): Promise<void> {
    this.closing = true;
    clearInterval(this.heartbeat);
    for (const socket of this.sockets) socket.close(CLOSE.RESTART, 'this instance ends');
    const deadline = Date.now() + GOODBYE_MS;
    while (this.sockets.size > 0 && Date.now() < deadline) await delay(20);
    for (const socket of this.sockets) socket.terminate();
  }

  private refuse(request: IncomingMessage): ProblemError | null {
    if (!this.origins.has(request.headers.origin)) {
      return new ProblemError('FORBIDDEN', 'Pages of this origin may not connect: CORS_ORIGINS does not list it.');
    }
    if (!this.unauthenticated.isExhausted(this.networkOf(request))) return null;
    const headers = { 'Retry-After': String(RETRY_AFTER_SECONDS) };
    return new ProblemError('RATE_LIMITED', 'Too many connections of this network show no token.', { headers });
  }

  private accept(socket: WebSocket, request: IncomingMessage): void {
    this.sockets.add(socket);
    socket.on('error', () => undefined); // a client's mistake or a lost connection: 'close' follows
    socket.on('close', (code) => {
      this.sockets.delete(socket);
      closed.inc({ code });
    });
    const stopCounting = this.countUnauthenticated(socket, this.networkOf(request));
    if (this.closing) return socket.close(CLOSE.RESTART, 'this instance ends');
    if (!stopCounting) return socket.close(CLOSE.TOO_MANY, 'too many connections without a token');

    let asked = false;
    const timeout = setTimeout(() => {
      // While the database stalls a token can't be checked, which doesn't make it invalid.
      if (asked) socket.close(CLOSE.TRY_AGAIN_LATER, 'try again in a moment');
      else socket.close(CLOSE.UNAUTHENTICATED, 'no token within 5 s');
    }, AUTH_TIMEOUT_MS);
    socket.once('message', (data, isBinary) => {
      asked = true;
      socket.on('message', (_, binary) => refuseMessage(socket, binary));
      void this.authenticate(socket, data as Buffer, isBinary).then((success) => {
        if (!success) return;
        clearTimeout(timeout);
        stopCounting();
      });
    });
  }

  /**
   * Counts a socket until it has closed, and for as long as a client may take to authenticate: so this limits guesses at
   * tokens as well.
   *
   * @returns what stops it earlier; null if its network has too many
   */
  private countUnauthenticated(socket: WebSocket, network: string): (() => void) | null {
    const admitted = this.unauthenticated.add(network);
    let counted = true;
    const stop = () => {
      if (counted) this.unauthenticated.remove(network);
      counted = false;
    };
    const openedAt = Date.now();
    socket.on('close', () => {
      if (!counted) return;
      const rest = admitted ? openedAt + AUTH_TIMEOUT_MS - Date.now() : 0;
      setTimeout(stop, Math.max(0, rest)).unref();
    });
    return admitted ? stop : null;
  }

  private networkOf(request: IncomingMessage): string {
    return networkOf(this.addresses.of(request));
  }

  /** @returns whether the client was let in */
  private async authenticate(socket: WebSocket, data: Buffer, isBinary: boolean): Promise<boolean> {
    try {
      const answer = this.handshake.read(data, isBinary);
      if ('subject' in answer) return await this.admit(socket, answer);
      socket.close(answer.code, answer.reason);
    } catch (error) {
      // Its client has gone, which `websocket_closed_total` counts: that is no fault.
      if (socket.readyState !== socket.OPEN) return false;
      this.logger.warn({ err: error }, 'a WebSocket cannot be served at the moment');
      socket.close(CLOSE.TRY_AGAIN_LATER, 'try again in a moment');
    }
    return false;
  }

  private async admit(socket: WebSocket, { subject, expiresAt, since }: Admission): Promise<boolean> {
    if (this.connections.of('user', subject.userId).length >= MAX_OF_A_USER) {
      socket.close(CLOSE.TOO_MANY, `more than ${MAX_OF_A_USER} connections`);
      return false;
    }
    // Registered before the check: from here on it is notified of the session's end and of changes.
    const connection = new LiveConnection(socket, subject, this.feed, this.logger);
    this.connections.add(connection);
    socket.on('close', () => this.connections.remove(connection));
    if (socket.readyState !== socket.OPEN) this.connections.remove(connection);
    if (await this.revocations.isRevoked(subject)) {
      this.endOfSession(connection);
      return false;
    }
    this.tokenExpiryWatch.watch(connection, expiresAt);
    await connection.start(since);
    return true;
  }

  private endOfSession(connection: LiveConnection): void {
    connection.close(CLOSE.UNAUTHENTICATED, 'the session has ended');
  }

  private beat(): void {
    for (const connection of this.connections.all()) {
      if (connection.ageMs > MAX_AGE_MS) connection.close(CLOSE.RESTART, 'connect again with a new token');
      else if (!connection.ping()) connection.terminate();
    }
  }
}

function refuseMessage(socket: WebSocket, isBinary: boolean): void {
  if (isBinary) socket.close(CLOSE.BINARY, 'messages are text');
  else socket.close(CLOSE.UNEXPECTED_MESSAGE, 'nothing is expected after the token');
}
