import { statementTimeout } from './executor.js';
import type { Executor, RunOptions } from './executor.js';
import type { PgConnection, PgResult, PgRow, PgStatement } from './postgres/pg-connection.js';
import { PgConnectionError } from './postgres/pg-error.js';
import type { PgPool } from './postgres/pg-pool.js';

/** mongod's transactionLifetimeLimitSeconds, counted from the last command: an abandoned one frees its locks. */
export const TRANSACTION_IDLE_LIMIT_MS = 60_000;

/**
 * How long a transaction waits for a lock of another. mongod does not wait at all: the second writer of a
 * document gets WriteConflict at once. This is long enough for a plain write that is just being committed.
 */
const LOCK_TIMEOUT_MS = 100;

const BEGIN: PgStatement = { text: 'begin isolation level repeatable read' };
const LOCK_TIMEOUT: PgStatement = { text: `select set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true)` };
const COMMIT: PgStatement = { text: 'commit' };
const ROLLBACK: PgStatement = { text: 'rollback' };
const TRANSACTION_ID = 'select pg_current_xact_id_if_assigned()::text';
const TRANSACTION_STATUS = 'select pg_xact_status($1::text::xid8)';

export type TransactionState = 'active' | 'committed' | 'aborted' | 'unknown';

/** A multi-document transaction: one PostgreSQL connection, taken with the first statement, one snapshot. */
export class Transaction implements Executor {
  readonly isTransaction = true;
  state: TransactionState = 'active';
  lastUsed = Date.now();
  /** Commands that run on it now; it is not idle while there are any. */
  running = 0;
  private connection: PgConnection | null = null;
  private timeout = 0;
  private queue: Promise<unknown> = Promise.resolve();
  private engineId: string | null = null;

  constructor(
    readonly number: bigint,
    private readonly pool: PgPool,
    private readonly observers: PgPool,
  ) {}

  /** Whether its snapshot has been taken: what others commit from then on is not seen. */
  get hasBegun(): boolean {
    return this.connection !== null;
  }

  /** @throws PgError, PgConnectionError; the transaction cannot be continued after either */
  async run(statement: PgStatement, { maxTimeMS = 0 }: RunOptions = {}): Promise<PgRow[]> {
    return this.exclusively(async () => {
      const batch = [statement];
      if (maxTimeMS !== this.timeout) batch.unshift(statementTimeout(maxTimeMS));
      if (!this.connection) {
        this.connection = await this.pool.acquire();
        batch.unshift(BEGIN, LOCK_TIMEOUT);
      }
      this.timeout = maxTimeMS;
      return (await this.connection.run(batch)).at(-1)!.rows;
    });
  }

  /**
   * @returns the state it is in afterwards; `unknown` when PostgreSQL went away while committing and has not
   * come back to say what became of it
   * @throws PgError when the commit itself fails (a serialization conflict); the state is `aborted` then
   */
  async commit(): Promise<TransactionState> {
    return this.exclusively(async () => {
      if (this.state === 'unknown') this.state = await this.lookUpOutcome();
      if (this.state !== 'active') return this.state;
      if (!this.connection) return (this.state = 'committed');
      const connection = this.connection;
      try {
        const results = await connection.run([this.rememberEngineId(), COMMIT]);
        this.state = isCommitted(results) ? 'committed' : 'aborted';
      } catch (error) {
        const mayHaveCommitted = error instanceof PgConnectionError && error.wasSent && this.engineId !== null;
        this.state = mayHaveCommitted ? 'unknown' : 'aborted';
        if (!mayHaveCommitted) throw error;
        this.state = await this.lookUpOutcome();
      } finally {
        this.giveBack();
      }
      return this.state;
    });
  }

  /** Rolls back; a statement that runs at this moment is cancelled first. Never throws. */
  async abort(): Promise<void> {
    if (this.state !== 'active') return;
    this.state = 'aborted';
    if (this.running > 0) this.connection?.cancel();
    await this.exclusively(async () => {
      if (this.connection?.isOpen) await this.connection.run([ROLLBACK]).catch(() => this.connection?.close());
      this.giveBack();
    });
  }

  private rememberEngineId(): PgStatement {
    const onRows = (rows: PgRow[]): void => {
      this.engineId = rows[0]?.[0]?.toString() ?? null;
    };
    return { text: TRANSACTION_ID, onRows };
  }

  private async lookUpOutcome(): Promise<TransactionState> {
    try {
      const [result] = await this.observers.run([{ text: TRANSACTION_STATUS, parameters: [this.engineId] }]);
      const status = result?.rows[0]?.[0]?.toString();
      return status === 'committed' || status === 'aborted' ? status : 'unknown';
    } catch {
      return 'unknown';
    }
  }

  private giveBack(): void {
    if (this.connection) this.pool.release(this.connection);
    this.connection = null;
  }

  private exclusively<T>(task: () => Promise<T>): Promise<T> {
    const next = this.queue.then(async () => {
      this.running++;
      try {
        return await task();
      } finally {
        this.running--;
        this.lastUsed = Date.now();
      }
    });
    this.queue = next.catch(() => undefined);
    return next;
  }
}

function isCommitted(results: readonly PgResult[]): boolean {
  return results.at(-1)?.tag === 'COMMIT';
}
