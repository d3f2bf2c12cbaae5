import { setTimeout as pause } from 'node:timers/promises';
import { isConflict, isVanishedRelation } from './error-translation.js';
import { PgConnectionError } from './postgres/pg-error.js';
import type { PgRow, PgStatement } from './postgres/pg-connection.js';
import type { PgPool } from './postgres/pg-pool.js';

export interface RunOptions {
  /** The command's own limit in ms; 0 or missing: none. */
  maxTimeMS?: number;
  /** The statement changes nothing, so that it may be sent again after PostgreSQL went away in the middle of it. */
  isRead?: boolean;
}

/** Runs one statement of a command: on any connection, or on the one its transaction holds. */
export interface Executor {
  readonly isTransaction: boolean;
  run(statement: PgStatement, options?: RunOptions): Promise<PgRow[]>;
}

/** In effect until the batch's transaction ends. */
export function statementTimeout(milliseconds: number): PgStatement {
  return { text: `select set_config('statement_timeout', $1, true)`, parameters: [String(milliseconds)] };
}

const MAX_ATTEMPTS = 100;

/**
 * Commands outside a transaction. Like mongod it repeats a write that lost against another one until it gets
 * through: a client only ever sees WriteConflict inside a transaction.
 */
export class PooledExecutor implements Executor {
  readonly isTransaction = false;

  constructor(private readonly pool: PgPool) {}

  async run(statement: PgStatement, { maxTimeMS = 0, isRead = false }: RunOptions = {}): Promise<PgRow[]> {
    const batch = maxTimeMS > 0 ? [statementTimeout(maxTimeMS), statement] : [statement];
    for (let attempt = 1; ; attempt++) {
      try {
        return (await this.pool.run(batch)).at(-1)!.rows;
      } catch (error) {
        if (attempt >= attemptsFor(error, isRead)) throw error;
        await pause(Math.random() * Math.min(attempt, 20));
      }
    }
  }
}

function attemptsFor(error: unknown, isRead: boolean): number {
  if (isConflict(error)) return MAX_ATTEMPTS;
  const mayHaveChanged = error instanceof PgConnectionError ? isRead && error.wasSent : isVanishedRelation(error);
  return mayHaveChanged ? 3 : 1;
}
