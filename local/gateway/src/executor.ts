import { setTimeout as pause } from 'node:timers/promises';
import { isConflict, isVanishedRelation } from './error-translation.js';
import { OutcomeTracker } from './outcome-tracker.js';
import { PgConnectionError } from './postgres/pg-error.js';
import type { PgRow, PgStatement } from './postgres/pg-connection.js';
import type { PgPool } from './postgres/pg-pool.js';

export interface RunOptions {
  /** The command's own limit in ms; 0 or missing: none. */
  maxTimeMS?: number;
  /** The statement changes nothing, so that it may be sent again after PostgreSQL went away in the middle of it. */
  isRead?: boolean;
  /** The client would repeat the statement if the answer were lost, so find out whether it took effect. */
  isTracked?: boolean;
}

/** Runs one statement of a command: on any connection, or on the one its transaction holds. */
export interface Executor {
  readonly isTransaction: boolean;
  run(statement: PgStatement, options?: RunOptions): Promise<PgRow[]>;
}

const MAX_CONFLICTS = 100;
const MAX_LOST_CONNECTIONS = 3;

/**
 * Commands outside a transaction. Like mongod it repeats a write that lost against another one until it gets
 * through: a client only ever sees WriteConflict inside a transaction.
 */
export class PooledExecutor implements Executor {
  readonly isTransaction = false;

  constructor(private readonly pool: PgPool) {}

  async run(statement: PgStatement, options: RunOptions = {}): Promise<PgRow[]> {
    for (let attempt = 1; ; attempt++) {
      const tracker = options.isTracked ? new OutcomeTracker(this.pool) : null;
      const batch = [statement];
      if (tracker) batch.unshift(tracker.statement);
      try {
        return (await this.pool.run(batch, options.maxTimeMS)).at(-1)!.rows;
      } catch (error) {
        if (attempt >= attemptsFor(error, options)) throw error;
        if (tracker && error instanceof PgConnectionError && (await tracker.outcome()) !== 'aborted') throw error;
        await pause(Math.random() * Math.min(attempt, 20));
      }
    }
  }
}

function attemptsFor(error: unknown, { isRead, isTracked }: RunOptions): number {
  if (isConflict(error)) return MAX_CONFLICTS;
  if (error instanceof PgConnectionError) return error.wasSent && (isRead || isTracked) ? MAX_LOST_CONNECTIONS : 1;
  return isVanishedRelation(error) ? MAX_LOST_CONNECTIONS : 1;
}
