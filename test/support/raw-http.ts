import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Addressable } from './api-client.js';

/** What a connection gave until it was closed. */
export interface RawAnswer {
  /** 0 where it was closed without an answer. */
  status: number;
  headers: Headers;
  body: string;
  /** From the first byte sent to the end of the connection. */
  milliseconds: number;
}

/** A TCP connection to the service, for clients that don't behave. */
export class RawConnection {
  private received = '';
  private readonly closed: Promise<void>;
  private readonly openedAt = Date.now();

  private constructor(private readonly socket: Socket) {
    socket.setEncoding('utf8').on('data', (text: string) => (this.received += text));
    socket.on('error', () => undefined); // what is written after the other side has closed
    this.closed = new Promise((resolve) => socket.once('close', () => resolve()));
  }

  static async open({ url }: Addressable): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect(Number(port), hostname);
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    return new RawConnection(socket);
  }

  get text(): string {
    return this.received;
  }

  send(text: string): void {
    if (this.socket.writable) this.socket.write(text);
  }

  /** Sends `text` again and again until the other side has had enough. */
  async drip(text: string, everyMs: number): Promise<void> {
    while (!this.socket.destroyed && this.socket.writable) {
      this.send(text);
      await delay(everyMs);
    }
  }

  async untilClosed(): Promise<RawAnswer> {
    await this.closed;
    const [head = '', body = ''] = this.received.split(/\r\n\r\n([\s\S]*)/);
    const [statusLine = '', ...fields] = head.split('\r\n');
    return {
      status: Number(statusLine.split(' ')[1] ?? 0),
      headers: new Headers(fields.map((field) => field.split(/: (.*)/).slice(0, 2) as [string, string])),
      body,
      milliseconds: Date.now() - this.openedAt,
    };
  }

  close(): void {
    this.socket.destroy();
  }

  /** Closes it with a TCP reset. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}
