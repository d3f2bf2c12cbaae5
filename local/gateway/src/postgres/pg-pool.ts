import { PgConnection } from './pg-connection.js';
import type { PgAddress, PgResult, PgStatement } from './pg-connection.js';
import { PgConnectionError, PgError } from './pg-error.js';

/** How long a command waits for a PostgreSQL that is down to come back; nothing has been sent by then. */
const RECONNECT_WINDOW_MS = 8_000;
const RECONNECT_PAUSE_MS = 100;

interface Waiter {
  resolve(connection: PgConnection): void;
  reject(error: Error): void;
}

/** A bounded set of connections; who finds none free waits in line. */
export class PgPool {
  private readonly idle: PgConnection[] = [];
  private readonly open = new Set<PgConnection>();
  private readonly waiters: Waiter[] = [];
  private opening = 0;
  private closed = false;

  constructor(
    private readonly address: PgAddress,
    private readonly size: number,
  ) {}

  /**
   * Runs one batch on any connection; see {@link PgConnection.run}.
   *
   * @param timeoutMs the limit of each statement; 0: none
   */
  async run(statements: readonly PgStatement[], timeoutMs = 0): Promise<PgResult[]> {
    const connection = await this.acquire();
    try {
      await connection.limitStatements(timeoutMs);
      return await connection.run(statements);
    } finally {
      this.release(connection);
    }
  }

  /** Whether every connection is in use, so that `acquire` would have to wait for one that is given back. */
  get isExhausted(): boolean {
    return this.idle.length === 0 && this.open.size + this.opening >= this.size && this.waiters.length >= this.opening;
  }

  /** @throws PgConnectionError when PostgreSQL stays away */
  async acquire(): Promise<PgConnection> {
    if (this.closed) throw new PgConnectionError('the gateway is shutting down', false);
    const free = this.idle.pop();
    if (free) return free;
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
      if (this.open.size + this.opening < this.size) void this.grow();
    });
  }

  /** Gives a connection back. One that is still in a transaction is closed rather than handed on. */
  release(connection: PgConnection): void {
    if (!connection.isOpen) return;
    if (connection.transactionStatus !== 'I' || this.closed) {
      connection.close();
      return;
    }
    const waiter = this.waiters.shift();
    if (waiter) waiter.resolve(connection);
    else this.idle.push(connection);
  }

  close(): void {
    this.closed = true;
    for (const waiter of this.waiters.splice(0))
      waiter.reject(new PgConnectionError('the gateway is shutting down', false));
    for (const connection of this.open) connection.close();
  }

  private async grow(): Promise<void> {
    this.opening++;
    try {
      const connection = await openPatiently(this.address, () => this.waiters.length === 0 || this.closed);
      this.open.add(connection);
      connection.onClose(() => this.forget(connection));
      this.release(connection);
    } catch (error) {
      this.waiters.shift()?.reject(error as Error);
    } finally {
      this.opening--;
      this.replenish();
    }
  }

  private forget(connection: PgConnection): void {
    this.open.delete(connection);
    const index = this.idle.indexOf(connection);
    if (index >= 0) this.idle.splice(index, 1);
    this.replenish();
  }

  private replenish(): void {
    const missing = Math.min(this.waiters.length - this.opening, this.size - this.open.size - this.opening);
    for (let i = 0; i < missing && !this.closed; i++) void this.grow();
  }
}

async function openPatiently(address: PgAddress, isPointless: () => boolean): Promise<PgConnection> {
  const deadline = Date.now() + RECONNECT_WINDOW_MS;
  for (;;) {
    try {
      return await PgConnection.open(address);
    } catch (error) {
      const isStarting = error instanceof PgError && error.sqlState.startsWith('57P');
      const isWorthwhile = error instanceof PgConnectionError || isStarting;
      if (!isWorthwhile || isPointless() || Date.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, RECONNECT_PAUSE_MS));
    }
  }
}
