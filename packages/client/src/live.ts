import { isSessionEnd } from './problem.js';
import { sleep } from './retries.js';
import type { components } from './schema.js';

export type Notification = components['schemas']['NotificationResponseDto'];

type Message =
  { type: 'ready' } | { type: 'notification'; notification: Notification } | { type: 'unread'; count: number };

export interface LiveOptions {
  onNotification?: (notification: Notification) => void;
  /** The number of unread notifications, whenever it changes. */
  onUnread?: (count: number) => void;
  /** Whether notifications arrive at the moment; a connection that breaks is made again by itself. */
  onStateChange?: (isConnected: boolean) => void;
  /** Nothing arrives any more: the session has ended, or the service refuses the connection for another reason. */
  onEnd?: (error: unknown) => void;
  /** From when on notifications are wanted that were missed: `createdAt` of the last one that was seen. */
  since?: string;
  /** For Node before 22, which has no WebSocket of its own: that of the package `ws`. */
  WebSocket?: new (url: string) => LiveSocket;
}

/** What is used of a WebSocket: a browser's, or one of the package `ws`. */
export interface LiveSocket {
  onopen: unknown;
  onmessage: unknown;
  onerror: unknown;
  onclose: unknown;
  send(data: string): void;
  close(): void;
}

/** What a connection asks of its client. */
export interface LiveSource {
  /** The service: `https://…`. */
  url: string;
  /** An access token, another one than `refused`; undefined where there is no session. */
  token: (refused: string | undefined) => Promise<string | undefined>;
  /** `createdAt` of the newest notification; undefined where there is none. */
  newest: () => Promise<string | undefined>;
}

/** The service has not accepted the access token, or it has expired. */
const UNAUTHENTICATED = 4401;
/** The service says that this client breaks the protocol, or its rules: trying again is of no use. */
const REFUSED = [1003, 1008];
const LONGEST_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 500;
/** The service repeats the last 10 s; no more notifications than these are told apart from repeated ones. */
const REMEMBERED = 1000;
const BEGINNING = '1970-01-01T00:00:00.000Z';

/**
 * Notifications as they happen. After an interruption the connection is made again, and what was missed comes first; each
 * notification comes once.
 */
export class LiveConnection {
  private readonly WebSocket: new (url: string) => LiveSocket;
  private socket: LiveSocket | undefined;
  private since: string | undefined;
  private readonly seen = new Set<string>();
  private readonly closing = new AbortController();

  /** @throws TypeError where there is no WebSocket */
  constructor(
    private readonly source: LiveSource,
    private readonly options: LiveOptions,
  ) {
    const WebSocket: (new (url: string) => LiveSocket) | undefined = options.WebSocket ?? globalThis.WebSocket;
    if (!WebSocket) throw new TypeError('There is no WebSocket here: give one in `WebSocket`, of the package ws say.');
    this.WebSocket = WebSocket;
    this.since = options.since;
    // A line that is gone isn't noticed before something is sent; that it is there again, the browser says.
    globalThis.addEventListener?.('online', () => this.socket?.close(), { signal: this.closing.signal });
    void this.run();
  }

  /** Ends the connection for good. */
  close(): void {
    this.closing.abort();
    this.socket?.close();
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    let failures = 0;
    let refused: string | undefined;
    while (!signal.aborted) {
      try {
        const token = await this.source.token(refused);
        if (token === undefined) return this.end(undefined);
        // What came before is known to the page, or can be read; what comes from now on isn't missed.
        this.since ??= (await this.source.newest()) ?? BEGINNING;
        const { code, reason, wasReady } = await this.connect(token);
        if (REFUSED.includes(code)) return this.end(new Error(`The service refused the connection: ${reason || code}`));
        refused = code === UNAUTHENTICATED ? token : undefined;
        if (wasReady) failures = 0;
      } catch (error) {
        if (isSessionEnd(error)) return this.end(error);
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      failures += 1;
      // Only `close` interrupts it, which ends the loop.
      await sleep(pause, signal).catch(() => undefined);
    }
  }

  private end(error: unknown): void {
    this.closing.abort();
    this.options.onEnd?.(error);
  }

  /** One connection, from its beginning to its end. */
  private connect(token: string): Promise<{ code: number; reason: string; wasReady: boolean }> {
    return new Promise((resolve) => {
      let wasReady = false;
      const socket = new this.WebSocket(`${this.source.url.replace(/^http/, 'ws')}/ws`);
      this.socket = socket;
      socket.onopen = () => socket.send(JSON.stringify({ type: 'auth', token, since: this.since }));
      socket.onmessage = ({ data }: { data: unknown }) => {
        const message = JSON.parse(String(data)) as Message;
        if (message.type === 'ready') {
          wasReady = true;
          this.options.onStateChange?.(true);
        } else if (message.type === 'unread') {
          this.options.onUnread?.(message.count);
        } else {
          this.receive(message.notification);
        }
      };
      // Its end follows.
      socket.onerror = () => undefined;
      socket.onclose = ({ code, reason }: { code: number; reason: string }) => {
        resolve({ code, reason, wasReady });
        if (wasReady) this.options.onStateChange?.(false);
      };
      if (this.closing.signal.aborted) socket.close();
    });
  }

  private receive(notification: Notification): void {
    if (this.seen.has(notification.id)) return;
    this.seen.add(notification.id);
    const [oldest] = this.seen;
    if (this.seen.size > REMEMBERED && oldest !== undefined) this.seen.delete(oldest);
    if (this.since === undefined || notification.createdAt > this.since) this.since = notification.createdAt;
    this.options.onNotification?.(notification);
  }
}
