import { MongoError } from './errors.js';
import type { Executor, RunOptions } from './executor.js';
import { OutcomeTracker } from './outcome-tracker.js';
import type { Outcome } from './outcome-tracker.js';
import { type PgConnection, type PgRow, type PgStatement, statementTimeout } from './postgres/pg-connection.js';
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

export type TransactionState = 'active' | Outcome;

/** A multi-document transaction: one PostgreSQL connection, taken with the first statement, one snapshot. */
export class Transaction implements Executor {
  readonly isTransaction = true;
  state: TransactionState = 'active';
  lastUsed = Date.now();
  /** Commands that run on it now; it is not idle while there are any. */
  running = 0;
  private connection: PgConnection | null = null;
  private timeout = 0;
  private isCancelled = false;
  private queue: Promise<unknown> = Promise.resolve();
  private readonly outcome: OutcomeTracker;

  /** @param observers asked about a commit whose answer was lost */
  constructor(
    readonly number: bigint,
    private readonly pool: PgPool,
    observers: PgPool,
  ) {
    this.outcome = new OutcomeTracker(observers);
  }

  /** Whether its snapshot has been taken: what others commit from then on is not seen. */
  get hasBegun(): boolean {
    return this.connection !== null;
  }

  /** @throws PgError, PgConnectionError; the transaction cannot be continued after either. MongoError (NoSuchTransaction) */
  async run(statement: PgStatement, { maxTimeMS = 0 }: RunOptions = {}): Promise<PgRow[]> {
    return this.exclusively(async () => {
      // Given up while its command waited for something else: nobody would end it any more.
      if (this.state === 'aborted') throw noSuchTransaction(this.number);
      const batch: PgStatement[] = [];
      if (!this.connection) {
        // Not waited for: the client's connection that asks may be the one that a commit needs to free a place.
        if (this.pool.isExhausted) throw tooManyTransactions();
        this.connection = await this.pool.acquire();
        this.timeout = this.connection.statementTimeoutMs;
        batch.push(BEGIN, LOCK_TIMEOUT);
      }
      if (maxTimeMS !== this.timeout) batch.push(statementTimeout(maxTimeMS, true));
      batch.push(statement);
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
      if (this.state === 'unknown') this.state = await this.outcome.outcome();
      if (this.state !== 'active') return this.state;
      if (!this.connection) return (this.state = 'committed');
      try {
        const results = await this.connection.run([this.outcome.statement, COMMIT]);
        this.state = results.at(-1)?.tag === 'COMMIT' ? 'committed' : 'aborted';
      } catch (error) {
        this.state = error instanceof PgConnectionError && error.wasSent ? await this.outcome.outcome() : 'aborted';
        if (this.state === 'aborted') throw error;
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
    if (this.running > 0 && this.connection) {
      this.isCancelled = true;
      this.connection.cancel();
    }
    await this.exclusively(async () => {
      if (this.connection?.isOpen) await this.connection.run([ROLLBACK]).catch(() => this.connection?.close());
      this.giveBack();
    });
  }

  private giveBack(): void {
    // A cancellation may arrive late; it must not hit the connection's next transaction.
    if (this.isCancelled) this.connection?.close();
    else if (this.connection) this.pool.release(this.connection);
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

/** As mongod answers a transaction that gets no ticket or lock in time; the dispatcher marks it as transient. */
function tooManyTransactions(): MongoError {
  return new MongoError('LockTimeout', 'Unable to start another transaction: too many are open. Please retry it.');
}

export function noSuchTransaction(number: bigint): MongoError {
  return new MongoError(
    'NoSuchTransaction',
    `Given transaction number ${number} does not match any in-progress transactions.`,
  );
}
