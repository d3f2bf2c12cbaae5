import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

/** The way of one instance to Redis, which a test can block, slow down, or hold a command back on. */
export class RedisProxy {
  private readonly sockets = new Set<Socket>();
  private server?: Server;
  private blocked = false;
  /** Whether what instances send is swallowed. */
  silent = false;
  private hold?: { pattern: RegExp; noticed: () => void };
  private readonly held: (() => void)[] = [];
  /** Milliseconds that whatever comes along may be held up for, either way. */
  maxDelayMs = 0;

  private constructor(private readonly upstream: () => string) {}

  /** @param upstream the address of Redis, asked for with each connection */
  static async start(upstream: () => string): Promise<RedisProxy> {
    const proxy = new RedisProxy(upstream);
    proxy.server = createServer((client) => proxy.accept(client)).listen(0, '127.0.0.1');
    await once(proxy.server, 'listening');
    return proxy;
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.server?.address() as AddressInfo).port}`;
  }

  /** Cuts all connections and lets none through until `unblock`. */
  block(): void {
    this.blocked = true;
    for (const socket of this.sockets) socket.destroy();
  }

  unblock(): void {
    this.blocked = false;
  }

  /** Cuts all connections; the next ones lead to where `upstream` says by then. */
  cut(): void {
    this.block();
    this.unblock();
  }

  /** What this matches doesn't reach Redis, nor does anything after it on its connection. @returns once that is so */
  holdBack(pattern: RegExp): Promise<void> {
    return new Promise((noticed) => (this.hold = { pattern, noticed }));
  }

  /** Lets everything through from now on, and what was held back, too. */
  release(): void {
    delete this.hold;
    for (const deliver of this.held.splice(0)) deliver();
  }

  stop(): void {
    this.block();
    this.server?.close();
  }

  private accept(client: Socket): void {
    if (this.blocked) return void client.destroy();
    const { hostname, port } = new URL(this.upstream());
    const redis = connect(Number(port), hostname);
    this.forward(client, redis, false);
    this.forward(redis, client, true);
  }

  private forward(from: Socket, to: Socket, isAnswer: boolean): void {
    let [silent, holding] = [false, false];
    let last = Promise.resolve();
    this.sockets.add(from);
    from.on('data', (chunk: Buffer) => {
      silent ||= this.silent && !isAnswer;
      if (silent) return;
      holding = !isAnswer && (this.isHeldBack(chunk) || (holding && this.held.length > 0));
      if (holding) return void this.held.push(() => to.write(chunk));
      const waits = this.maxDelayMs > 0 ? delay(Math.random() * this.maxDelayMs) : undefined;
      last = Promise.all([last, waits]).then(() => void to.write(chunk));
    });
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.sockets.delete(from);
      to.destroy();
    });
  }

  private isHeldBack(chunk: Buffer): boolean {
    if (!this.hold?.pattern.test(chunk.toString('latin1'))) return false;
    this.hold.noticed();
    delete this.hold;
    return true;
  }
}
