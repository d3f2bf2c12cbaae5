import { CollectionRegistry } from './collections.js';
import { CursorRegistry } from './cursors.js';
import { PooledExecutor } from './executor.js';
import type { PgAddress } from './postgres/pg-connection.js';
import { PgPool } from './postgres/pg-pool.js';
import { SessionRegistry } from './sessions.js';
import { Statistics } from './statistics.js';

/** Connections of the two pools; together they have to stay below PostgreSQL's default max_connections (100). */
export interface PoolSizes {
  commands: number;
  /** Transactions have their own, so that plain writes waiting for their locks can never keep them from ending. */
  transactions: number;
}

export const DEFAULT_POOL_SIZES: PoolSizes = { commands: 16, transactions: 80 };

/** Everything one gateway process shares between its client connections. */
export class Services {
  readonly pool: PgPool;
  readonly transactionPool: PgPool;
  readonly executor: PooledExecutor;
  readonly collections: CollectionRegistry;
  readonly cursors: CursorRegistry;
  readonly statistics: Statistics;
  readonly sessions: SessionRegistry;
  readonly startedAt = Date.now();

  constructor(address: PgAddress, sizes: PoolSizes = DEFAULT_POOL_SIZES) {
    this.pool = new PgPool(address, sizes.commands);
    this.transactionPool = new PgPool(address, sizes.transactions);
    this.executor = new PooledExecutor(this.pool);
    this.collections = new CollectionRegistry(this.executor);
    this.statistics = new Statistics(this.executor);
    this.cursors = new CursorRegistry(this.executor);
    this.sessions = new SessionRegistry(this.transactionPool, this.pool, (sessionId) =>
      this.cursors.killWhere((cursor) => cursor.sessionId === sessionId),
    );
  }

  async close(): Promise<void> {
    await this.sessions.close();
    this.cursors.close();
    this.pool.close();
    this.transactionPool.close();
  }
}
