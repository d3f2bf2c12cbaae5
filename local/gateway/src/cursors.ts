import { MongoError } from './errors.js';
import type { Executor } from './executor.js';
import type { Transaction } from './transactions.js';

/** mongod's cursorTimeoutMillis. */
export const CURSOR_TIMEOUT_MS = 600_000;

const SWEEP_INTERVAL_MS = 10_000;
const DELETE_FILES = 'select documentdb_api_internal.delete_cursors(array[$1::bigint])';

/** A result of which pages are still to be fetched. */
export interface Cursor {
  id: bigint;
  namespace: string;
  /** What the engine wants back with the next `getMore`; opaque. */
  continuation: Buffer;
  sessionId: string | null;
  /** The transaction it was opened in: it ends with it. */
  transaction: Transaction | null;
  neverTimesOut: boolean;
  lastUsed: number;
  inUse: boolean;
}

/** Open cursors by id. What the engine keeps for one (a spill file) is removed with it. */
export class CursorRegistry {
  private readonly cursors = new Map<bigint, Cursor>();
  private readonly timer: NodeJS.Timeout;

  constructor(private readonly executor: Executor) {
    this.timer = setInterval(() => void this.sweep(Date.now()), SWEEP_INTERVAL_MS).unref();
  }

  get size(): number {
    return this.cursors.size;
  }

  add(cursor: Omit<Cursor, 'lastUsed' | 'inUse'>): void {
    this.cursors.set(cursor.id, { ...cursor, lastUsed: Date.now(), inUse: false });
  }

  /**
   * Takes a cursor for one `getMore`.
   * @throws MongoError CursorNotFound, Unauthorized (another namespace or session), CursorInUse
   */
  checkOut(id: bigint, namespace: string, sessionId: string | null, transaction: Transaction | null): Cursor {
    const cursor = this.cursors.get(id);
    if (!cursor || (cursor.transaction && cursor.transaction.state !== 'active')) throw cursorNotFound(id);
    if (cursor.namespace !== namespace) {
      throw new MongoError(
        'Unauthorized',
        `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`,
      );
    }
    if (cursor.sessionId !== sessionId || cursor.transaction !== transaction) {
      throw new MongoError(
        'Unauthorized',
        `Cannot run getMore on cursor ${id}, which was not created in this session or transaction`,
      );
    }
    if (cursor.inUse) throw new MongoError('CursorInUse', `cursor id ${id} is already in use`);
    cursor.inUse = true;
    cursor.lastUsed = Date.now();
    return cursor;
  }

  /** @param continuation null when there are no more pages, or the page failed */
  checkIn(cursor: Cursor, continuation: Buffer | null): void {
    cursor.inUse = false;
    cursor.lastUsed = Date.now();
    if (continuation) cursor.continuation = continuation;
    else this.cursors.delete(cursor.id);
  }

  /** @returns whether there was such a cursor */
  kill(id: bigint): boolean {
    if (!this.cursors.delete(id)) return false;
    void this.executor.run({ text: DELETE_FILES, parameters: [id] }).catch(() => undefined);
    return true;
  }

  killWhere(condition: (cursor: Cursor) => boolean): void {
    for (const cursor of this.cursors.values()) if (condition(cursor)) this.kill(cursor.id);
  }

  /** Kills what nobody has asked for in a long time. */
  sweep(now: number): void {
    this.killWhere((cursor) => !cursor.inUse && !cursor.neverTimesOut && now - cursor.lastUsed > CURSOR_TIMEOUT_MS);
  }

  close(): void {
    clearInterval(this.timer);
    this.killWhere(() => true);
  }
}

export function cursorNotFound(id: bigint): MongoError {
  return new MongoError('CursorNotFound', `cursor id ${id} not found`);
}
