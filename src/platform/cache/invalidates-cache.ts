import mongoose, {
  type AnyBulkWriteOperation,
  type ClientSession,
  type InsertManyOptions,
  type Model,
  type Query,
  type Schema,
} from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { type Question, targetOf } from './cache-key.js';
import type { CacheScope } from '../../contracts/cache-scope.js';

const QUERY_WRITES = [
  'updateOne',
  'updateMany',
  'replaceOne',
  'deleteOne',
  'deleteMany',
  'findOneAndUpdate',
  'findOneAndReplace',
  'findOneAndDelete',
] as const;

/** What transactions in progress have made out of date: `<owner>:<scope>`. */
const pending = new WeakMap<ClientSession, Set<string>>();

type Fields = Record<string, unknown>;

interface Rule {
  scope: CacheScope;
  /** The field that holds the user whose answers show the document. */
  owner: string;
}

declare module 'mongoose' {
  interface QueryOptions {
    /** The write changes nothing that a cached answer shows, such as the claim of a job: it needs no transaction. */
    unseenByCache?: boolean;
  }
}

/**
 * Schema plugin: cached answers of a scope show these documents, so every write to them makes the owner's answers
 * unreachable once its transaction is committed.
 *
 *     TaskSchema.plugin(invalidatesCache, { scope: 'tasks', owner: 'user' });
 *
 * It can't be forgotten: a write that runs in no transaction, or names no owner in its filter, throws.
 */
export function invalidatesCache(schema: Schema, { scope, owner }: Rule): void {
  const note = (user: unknown, what: string, tx: ClientSession | null | undefined): void => {
    if (!tx) throw new Error(`${what} runs in no transaction, so the cache of ${scope} can't learn of it.`);
    if (!isId(user)) throw new Error(`${what} names no ${owner}, so the cache of ${scope} can't tell whose it is.`);
    addPending({ owner: ownedBy(String(user)), scope }, tx);
  };
  schema.pre('save', function () {
    note(this.get(owner), 'save', this.$session());
  });
  schema.pre([...QUERY_WRITES], { document: false, query: true }, function (this: Query<unknown, unknown>) {
    const { session: tx, unseenByCache } = this.getOptions();
    if (!unseenByCache) note(this.getFilter()[owner], (this as unknown as { op: string }).op, tx);
  });
  schema.pre('bulkWrite', function (operations, options) {
    for (const operation of operations) note(ownerIn(operation, owner), 'bulkWrite', options?.session);
  });
  // The hook of insertMany doesn't get the session.
  schema.static(
    'insertMany',
    async function (this: Model<unknown>, documents: object[], options: InsertManyOptions = {}) {
      for (const document of documents) note((document as Fields)[owner], 'insertMany', options.session);
      const insertMany = mongoose.Model.insertMany as (
        documents: object[],
        options: InsertManyOptions,
      ) => Promise<unknown>;
      return await insertMany.call(this, documents, options);
    },
  );
}

/** What one operation of a bulkWrite, `{ updateOne: { filter, … } }` say, names as the owner. */
function ownerIn(operation: AnyBulkWriteOperation, owner: string): unknown {
  const [{ filter, document } = {}] = Object.values(operation) as { filter?: Fields; document?: Fields }[];
  return (filter ?? document)?.[owner];
}

/** Notes that the transaction makes an owner's answers of a scope out of date. */
export function addPending(target: Pick<Question, 'owner' | 'scope'>, tx: ClientSession): void {
  pending.set(tx, (pending.get(tx) ?? new Set()).add(targetOf(target)));
}

/** @returns what the transaction has made out of date so far; forgets it */
export function takePending(tx: ClientSession): string[] {
  const targets = [...(pending.get(tx) ?? [])];
  pending.delete(tx);
  return targets;
}

/** A string or an ObjectId; a condition such as `{ $in: […] }` isn't one. */
function isId(value: unknown): boolean {
  return typeof value === 'string' || (value as { _bsontype?: string } | null)?._bsontype === 'ObjectId';
}
