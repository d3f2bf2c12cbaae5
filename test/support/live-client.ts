import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { type ClientOptions, WebSocket } from 'ws';
import type { Addressable } from './api-client.js';
import { waitFor } from './wait-for.js';

export interface LiveNotification {
  id: string;
  event: string;
  data: { taskId?: string };
  createdAt: string;
}

type Message =
  { type: 'ready' } | { type: 'notification'; notification: LiveNotification } | { type: 'unread'; count: number };

const clients = new Set<LiveClient>();

/** A client of the WebSocket: keeps what it receives. */
export class LiveClient {
  readonly messages: { message: Message; receivedAt: number }[] = [];
  /** The code and the reason the server closed with. */
  readonly closed: Promise<[code: number, reason: string]>;

  private constructor(readonly socket: WebSocket) {
    clients.add(this);
    socket.on('error', () => undefined);
    socket.on('message', (data: Buffer) => {
      this.messages.push({ message: JSON.parse(data.toString()) as Message, receivedAt: performance.now() });
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', (code, reason) => resolve([code, reason.toString()]));
    });
  }

  /** A connection that hasn't said anything yet. */
  static async connect(service: Addressable, options: ClientOptions = {}): Promise<LiveClient> {
    const client = new LiveClient(new WebSocket(service.url.replace('http', 'ws') + '/ws', options));
    await once(client.socket, 'open');
    return client;
  }

  /** A connection that is ready. */
  static async open(service: Addressable, token: string | undefined, since?: string): Promise<LiveClient> {
    const client = await LiveClient.connect(service);
    client.send({ type: 'auth', token, since });
    await waitFor('the connection to be ready', () => client.messages.some(({ message }) => message.type === 'ready'));
    return client;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
  }

  get notifications(): LiveNotification[] {
    return this.messages.flatMap(({ message }) => (message.type === 'notification' ? [message.notification] : []));
  }

  /** When it was told of a task, as `performance.now` has it; undefined where it hasn't been. */
  receivedAt(taskId: string): number | undefined {
    const found = this.messages.find(({ message }) => {
      return message.type === 'notification' && message.notification.data.taskId === taskId;
    });
    return found?.receivedAt;
  }

  /** The last count that was told. */
  get unread(): number | undefined {
    return this.messages.flatMap(({ message }) => (message.type === 'unread' ? [message.count] : [])).at(-1);
  }

  close(): void {
    this.socket.terminate();
    clients.delete(this);
  }
}

afterAll(() => clients.forEach((client) => client.close()));
