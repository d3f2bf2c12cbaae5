import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { LiveNotification } from '../support/live-client.js';

const MAX_PAUSE_MS = 500;

/** A client of the WebSocket as docs/websocket.md wants them: it connects again with `since`, and so misses nothing. */
export class Follower {
  /** The tasks it was told of. */
  readonly tasks = new Set<string>();
  /** What its connections were closed with. */
  readonly closes: number[] = [];
  /** Why connections didn't come about. */
  readonly refusals: string[] = [];
  private since = new Date().toISOString();
  private socket?: WebSocket;
  private ended = false;
  private readonly done: Promise<void>;

  /** @param url of the service, with http */
  constructor(
    private readonly url: string,
    private readonly token: string,
  ) {
    this.done = this.follow();
  }

  async stop(): Promise<void> {
    this.ended = true;
    this.socket?.terminate();
    await this.done;
  }

  private async follow(): Promise<void> {
    while (!this.ended) {
      await this.connect();
      await delay(Math.random() * MAX_PAUSE_MS);
    }
  }

  /** One connection, from its beginning to its end. */
  private connect(): Promise<void> {
    const socket = new WebSocket(this.url.replace('http', 'ws') + '/ws');
    this.socket = socket;
    let opened = false;
    socket.on('open', () => {
      opened = true;
      socket.send(JSON.stringify({ type: 'auth', token: this.token, since: this.since }));
    });
    socket.on('message', (data: Buffer) => {
      const message = JSON.parse(data.toString()) as { type: string; notification?: LiveNotification };
      if (message.notification) this.note(message.notification);
    });
    return new Promise((resolve) => {
      socket.on('error', ({ message }) => {
        if (!opened && !this.ended) this.refusals.push(message);
      });
      socket.on('close', (code) => {
        if (opened && !this.ended) this.closes.push(code);
        resolve();
      });
    });
  }

  private note({ data, createdAt }: LiveNotification): void {
    if (data.taskId !== undefined) this.tasks.add(data.taskId);
    if (createdAt > this.since) this.since = createdAt;
  }
}
