import { setTimeout as pause } from 'node:timers/promises';
import type { PgStatement } from './postgres/pg-connection.js';
import type { PgPool } from './postgres/pg-pool.js';

export type Outcome = 'committed' | 'aborted' | 'unknown';

const STATUS = 'select pg_xact_status($1::text::xid8)';
const POLLS = 40;
const POLL_MS = 50;

/**
 * Tells what became of a transaction whose connection was lost before the answer came. PostgreSQL's own number of
 * the transaction arrives ahead of the statements behind it, and can be asked about on another connection.
 */
export class OutcomeTracker {
  private engineId: string | null = null;

  /** @param pool where to ask */
  constructor(private readonly pool: PgPool) {}

  /** To be sent in front of what is to be tracked, in the same transaction. */
  readonly statement: PgStatement = {
    text: 'select pg_current_xact_id()::text',
    onRows: (rows) => {
      this.engineId = rows[0]?.[0]?.toString() ?? null;
    },
  };

  /** `aborted` also when the connection was lost so early that nothing had run. Never throws. */
  async outcome(): Promise<Outcome> {
    if (this.engineId === null) return 'aborted';
    try {
      for (let poll = 0; poll < POLLS; poll++) {
        const [result] = await this.pool.run([{ text: STATUS, parameters: [this.engineId] }]);
        const status = result?.rows[0]?.[0]?.toString();
        if (status === 'committed' || status === 'aborted') return status;
        await pause(POLL_MS);
      }
    } catch {
      return 'unknown';
    }
    return 'unknown';
  }
}
