import { MongoError } from './errors.js';
import type { SessionReference } from './command-request.js';
import type { PgPool } from './postgres/pg-pool.js';
import { TRANSACTION_IDLE_LIMIT_MS, Transaction, noSuchTransaction } from './transactions.js';

/** Announced in `hello`; a session unused for that long is forgotten. */
export const SESSION_TIMEOUT_MINUTES = 30;

const SWEEP_INTERVAL_MS = 1_000;

interface RetryableWrite {
  number: bigint;
  reply: Promise<Buffer>;
}

/** What is kept of one logical session: its transaction and its last retryable write. */
export class Session {
  transaction: Transaction | null = null;
  lastUsed = Date.now();
  /** The client connection that used it last; a transaction is given up when it closes. */
  connectionId = 0;
  private write: RetryableWrite | null = null;

  constructor(readonly id: string) {}

  /**
   * Runs a retryable write once: a repetition of the same number waits for the first one's outcome and is given
   * its reply. A write that failed as a whole is forgotten, so that its repetition runs.
   */
  async runOnce(number: bigint, write: () => Promise<Buffer>): Promise<Buffer> {
    this.requireCurrent(number);
    if (this.write?.number === number) return this.write.reply;
    const reply = write().then((bytes) => Buffer.from(bytes)); // a copy: the original keeps a whole network chunk alive
    const record = { number, reply };
    this.write = record;
    try {
      return await reply;
    } catch (error) {
      if (this.write === record) this.write = null;
      throw error;
    }
  }

  /** @throws MongoError (TransactionTooOld) for a number lower than one already seen */
  requireCurrent(number: bigint): void {
    const newest = [this.transaction?.number, this.write?.number].reduce<bigint>(
      (a, b) => (b !== undefined && b > a ? b : a),
      -1n,
    );
    if (number < newest) {
      throw new MongoError(
        'TransactionTooOld',
        `Cannot use transaction number ${number}: a newer one, ${newest}, has already been started on this session`,
      );
    }
  }
}

/** All sessions clients have used, with the limits on how long they and their transactions may rest. */
export class SessionRegistry {
  private readonly sessions = new Map<string, Session>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly transactionPool: PgPool,
    private readonly pool: PgPool,
    private readonly onEnd: (sessionId: string) => void,
  ) {
    this.timer = setInterval(() => void this.sweep(Date.now()), SWEEP_INTERVAL_MS).unref();
  }

  use(id: string, connectionId: number): Session {
    let session = this.sessions.get(id);
    if (!session) this.sessions.set(id, (session = new Session(id)));
    session.lastUsed = Date.now();
    session.connectionId = connectionId;
    return session;
  }

  /**
   * The transaction a command belongs to; begun when the command says so.
   * @param isFinish for commitTransaction and abortTransaction, which may be repeated on a finished one
   * @throws MongoError NoSuchTransaction, TransactionCommitted, TransactionTooOld
   */
  async transactionFor(
    session: Session,
    { txnNumber, startTransaction }: SessionReference,
    isFinish: boolean,
  ): Promise<Transaction> {
    const number = txnNumber!;
    session.requireCurrent(number);
    const current = session.transaction;
    if (startTransaction) {
      if (current?.number === number) {
        throw new MongoError(
          'ConflictingOperationInProgress',
          `Transaction ${number} has already been started on this session`,
        );
      }
      await current?.abort();
      session.transaction = new Transaction(number, this.transactionPool, this.pool);
      return session.transaction;
    }
    if (current?.number !== number || current.state === 'aborted') throw noSuchTransaction(number);
    if (current.state !== 'active' && !isFinish) {
      throw new MongoError('TransactionCommitted', `Transaction with { txnNumber: ${number} } has been committed.`);
    }
    return current;
  }

  /** Ends sessions: rolls back what they had open and forgets them. */
  async end(ids: Iterable<string>): Promise<void> {
    const ended = [...ids].flatMap((id) => this.sessions.get(id) ?? []);
    for (const session of ended) {
      this.sessions.delete(session.id);
      this.onEnd(session.id);
    }
    await Promise.all(ended.flatMap(({ transaction }) => transaction?.abort() ?? []));
  }

  refresh(ids: Iterable<string>): void {
    const now = Date.now();
    for (const id of ids) {
      const session = this.sessions.get(id);
      if (session) session.lastUsed = now;
    }
  }

  allIds(): string[] {
    return [...this.sessions.keys()];
  }

  /** A driver keeps a transaction's commands on any of its connections, so only the last one's end counts. */
  async connectionClosed(connectionId: number): Promise<void> {
    const orphans = [...this.sessions.values()].filter((session) => session.connectionId === connectionId);
    await Promise.all(orphans.flatMap(({ transaction }) => transaction?.abort() ?? []));
  }

  /** Gives up what has rested too long. Exposed with its clock so that a test need not wait. */
  async sweep(now: number): Promise<void> {
    const expired: string[] = [];
    const aborts: Promise<void>[] = [];
    for (const session of this.sessions.values()) {
      const { transaction } = session;
      if (transaction && transaction.running === 0 && now - transaction.lastUsed > TRANSACTION_IDLE_LIMIT_MS) {
        aborts.push(transaction.abort());
      }
      if (now - session.lastUsed > SESSION_TIMEOUT_MINUTES * 60_000) expired.push(session.id);
    }
    await Promise.all([...aborts, this.end(expired)]);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await this.end(this.allIds());
  }
}
