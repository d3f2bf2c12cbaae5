import type { components } from './schema.js';
import { ApiError } from './problem.js';
import { sleep } from './retries.js';

export type Notification = components['schemas']['NotificationResponseDto'];

type Message =
  { type: 'ready' } | { type: 'notification'; notification: Notification } | { type: 'unread'; count: number };

export interface LiveOptions {
  onNotification?: (notification: Notification) => void;
  /** The number of unread notifications, whenever it changes. */
  onUnread?: (count: number) => void;
  /** Whether notifications arrive at the moment; a connection that breaks is made again by itself. */
  onStateChange?: (isConnected: boolean) => void;
  /** Where the session has ended: nothing arrives any more. */
  onEnd?: (error: unknown) => void;
  /** From when on notifications are wanted that were missed: `createdAt` of the last one that was seen. */
  since?: string;
  /** For Node before 22, which has no WebSocket of its own: that of the package `ws`. */
  WebSocket?: typeof globalThis.WebSocket;
}

/** The service has not accepted the access token, or it has expired. */
const UNAUTHENTICATED = 4401;
const CLOCK_ERROR_MS = 60_000;
const LONGEST_PAUSE_MS = 30_000;
const FIRST_PAUSE_MS = 500;
/** The service repeats the last 10 s; no more notifications than these are told apart from repeated ones. */
const REMEMBERED = 1000;

/**
 * Notifications as they happen. After an interruption the connection is made again, and what was missed comes first; each
 * notification comes once.
 */
export class LiveConnection {
  private socket: WebSocket | undefined;
  private since: string | undefined;
  private readonly seen = new Set<string>();
  private readonly closing = new AbortController();

  /**
   * @param url of the service: `https://…`
   * @param token gives an access token, another one than `refused`; undefined where there is no session
   */
  constructor(
    private readonly url: string,
    private readonly token: (refused: string | undefined) => Promise<string | undefined>,
    private readonly options: LiveOptions,
  ) {
    this.since = options.since;
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
        const token = await this.token(refused);
        if (token === undefined) return this.options.onEnd?.(undefined);
        const { code, wasReady } = await this.connect(token);
        refused = code === UNAUTHENTICATED ? token : undefined;
        if (wasReady) failures = 0;
      } catch (error) {
        if (error instanceof ApiError) return this.options.onEnd?.(error);
      }
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
      failures += 1;
      await sleep(pause, signal).catch(() => undefined);
    }
  }

  /** One connection, from its beginning to its end. */
  private connect(token: string): Promise<{ code: number; wasReady: boolean }> {
    const { WebSocket = globalThis.WebSocket } = this.options;
    return new Promise((resolve) => {
      let wasReady = false;
      const socket = new WebSocket(`${this.url.replace(/^http/, 'ws')}/ws`);
      this.socket = socket;
      socket.onopen = () =>
        socket.send(JSON.stringify({ type: 'auth', token, ...(this.since && { since: this.since }) }));
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data)) as Message;
        if (message.type === 'ready') {
          wasReady = true;
          // Nothing has come yet, and no clock is exact: what is from just before may come once more after a break.
          this.since ??= new Date(Date.now() - CLOCK_ERROR_MS).toISOString();
          this.options.onStateChange?.(true);
        } else if (message.type === 'unread') {
          this.options.onUnread?.(message.count);
        } else {
          this.receive(message.notification);
        }
      };
      // Its end follows.
      socket.onerror = () => undefined;
      socket.onclose = ({ code }) => {
        if (wasReady) this.options.onStateChange?.(false);
        resolve({ code, wasReady });
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
