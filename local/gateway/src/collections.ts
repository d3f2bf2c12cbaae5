import type { Executor } from './executor.js';
import type { Transaction } from './transactions.js';

const CREATE = 'select documentdb_api.create_collection($1, $2)';

/**
 * Serialises what changes the catalogue, and creates collections before the first write to them.
 * The engine creates them implicitly too, but two writers doing so at once can fail with a unique violation of
 * its catalogue, or deadlock; mongod's clients expect neither.
 */
export class CollectionRegistry {
  private readonly known = new Set<string>();
  /** The last change under way in each database. */
  private readonly tails = new Map<string, Promise<unknown>>();

  constructor(private readonly executor: Executor) {}

  isKnown(db: string, collection: string): boolean {
    return this.known.has(`${db}.${collection}`);
  }

  /**
   * Creates the collection unless it is there; costs nothing once it is known to be.
   * @param transaction the one that is about to write: once it has begun it would not see a collection made
   * outside it, so it is left to the engine to make one inside
   */
  async ensure(db: string, collection: string, transaction: Transaction | null): Promise<void> {
    if (this.isKnown(db, collection) || transaction?.hasBegun) return;
    await this.change(db, async () => {
      if (this.isKnown(db, collection)) return;
      await this.executor.run({ text: CREATE, parameters: [db, collection] });
      this.known.add(`${db}.${collection}`);
    });
  }

  /** Runs a change of a database's collections or indexes when no other one runs. */
  change<T>(db: string, task: () => Promise<T>): Promise<T> {
    const next = (this.tails.get(db) ?? Promise.resolve()).then(task);
    const tail = next
      .catch(() => undefined)
      .finally(() => {
        if (this.tails.get(db) === tail) this.tails.delete(db);
      });
    this.tails.set(db, tail);
    return next;
  }

  /** To be called around whatever may take collections away. */
  forget(db: string, collection?: string): void {
    if (collection !== undefined) this.known.delete(`${db}.${collection}`);
    else for (const name of this.known) if (name.startsWith(`${db}.`)) this.known.delete(name);
  }
}
