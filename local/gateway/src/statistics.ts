import type { Executor } from './executor.js';

const TABLE = `select 'analyze documentdb_data.documents_' || collection_id
  from documentdb_api_catalog.collections where database_name = $1 and collection_name = $2 and view_definition is null`;

/** Inserts after which a collection is looked at first; then each time it has doubled. */
const FIRST_AT = 100;

const TIME_LIMIT_MS = 10_000;

/**
 * Keeps the planner's statistics fresh. Without them it sorts in memory what an index has in order, and the
 * engine's autovacuum only looks after a minute: long after a test that loads a collection and lists it.
 */
export class Statistics {
  private readonly inserted = new Map<string, { count: number; next: number }>();
  private tail: Promise<void> = Promise.resolve();

  constructor(private readonly executor: Executor) {}

  /** @param reply of an insert; counts what it says went in */
  noteInserts(db: string, collection: string, reply: Buffer): void {
    const namespace = `${db}.${collection}`;
    const entry = this.inserted.get(namespace) ?? { count: 0, next: FIRST_AT };
    this.inserted.set(namespace, entry);
    entry.count += insertedCount(reply);
    if (entry.count < entry.next) return;
    entry.next = entry.count * 2;
    this.tail = this.tail.then(() => this.analyze(db, collection)).catch(() => undefined);
  }

  /** @throws PgError when it takes too long, or the collection is dropped meanwhile */
  async analyze(db: string, collection: string): Promise<void> {
    const [row] = await this.executor.run({ text: TABLE, parameters: [db, collection] }, { isRead: true });
    if (row?.[0]) await this.executor.run({ text: row[0].toString(), isOneOff: true }, { maxTimeMS: TIME_LIMIT_MS });
  }

  forget(db: string, collection?: string): void {
    if (collection !== undefined) this.inserted.delete(`${db}.${collection}`);
    else
      for (const namespace of this.inserted.keys()) if (namespace.startsWith(`${db}.`)) this.inserted.delete(namespace);
  }
}

const N_OFFSET = 4 + 1 + 2;

/** `n`, which the engine puts first, as an int32. */
function insertedCount(reply: Buffer): number {
  return reply[4] === 0x10 && reply[5] === 0x6e && reply[6] === 0 ? reply.readInt32LE(N_OFFSET) : 0;
}
