import { type mongo, Types } from 'mongoose';
import { databaseDate } from '../../platform/database/database-clock.js';
import { withoutValues } from '../../platform/observability/scrub.js';
import type { WorkState } from '../../platform/work/work.schema.js';
import { NotFoundError, UsageError } from '../command.js';
import type { QueueLocation } from './queues.js';

/** An item as operators see it: without its payload, which may hold addresses and tokens. */
export interface WorkSummary {
  queue: string;
  id: string;
  state: WorkState;
  attempts: number;
  /** Without quoted values and numbers: an error of the database or of a carrier may quote an address or a user's text. */
  lastError: string | null;
  createdAt: Date;
  availableAt: Date;
  about: Record<string, unknown>;
}

type Item = Omit<WorkSummary, 'queue' | 'id' | 'about'> & { _id: Types.ObjectId };

/** Durable work that was given up, by queue. Retrying and dropping touch parked items alone: others are being worked on. */
export class ParkedWork {
  constructor(
    private readonly database: mongo.Db,
    private readonly queues: Map<string, QueueLocation>,
  ) {}

  /** @returns the oldest first, `limit` of each queue at most. @throws UsageError for a queue that this process hasn't got */
  async list(queue: string | undefined, limit: number): Promise<WorkSummary[]> {
    const names = queue === undefined ? [...this.queues.keys()] : [queue];
    const pages = await Promise.all(
      names.map(async (name) => {
        const found = this.itemsOf(name).find(this.parked(name), { sort: { availableAt: 1 }, limit });
        return (await found.toArray()).map((item) => this.summarize(name, item));
      }),
    );
    return pages.flat();
  }

  /** @throws NotFoundError where there is no such item, in whatever state */
  async show(queue: string, id: string): Promise<WorkSummary> {
    const item = await this.itemsOf(queue).findOne({ ...this.locationOf(queue).scope, _id: toId(id) });
    if (!item) throw new NotFoundError(`The queue ${queue} has no item ${id}.`);
    return this.summarize(queue, item);
  }

  /** Makes parked items due at once, with all their attempts. @param id of one; default: all. @returns how many they were */
  async retry(queue: string, id?: string): Promise<number> {
    const change = { $set: { state: 'ready', attempts: 0, timesLeft: 0, lease: null, availableAt: databaseDate() } };
    const { modifiedCount } = await this.itemsOf(queue).updateMany(this.parked(queue, id), change as object);
    if (id !== undefined && modifiedCount === 0) throw notParked(queue, id);
    return modifiedCount;
  }

  /** Gives a parked item up for good: it is removed, or stays as failed where items are the record of what was sent. */
  async drop(queue: string, id: string): Promise<void> {
    const items = this.itemsOf(queue);
    const filter = this.parked(queue, id);
    const changed = this.locationOf(queue).isRecord
      ? (await items.updateOne(filter, { $set: { state: 'failed' } })).modifiedCount
      : (await items.deleteOne(filter)).deletedCount;
    if (changed === 0) throw notParked(queue, id);
  }

  private parked(queue: string, id?: string) {
    return { ...this.locationOf(queue).scope, state: 'parked' as const, ...(id !== undefined && { _id: toId(id) }) };
  }

  private itemsOf(queue: string): mongo.Collection<Item> {
    return this.database.collection<Item>(this.locationOf(queue).collection);
  }

  private locationOf(queue: string): QueueLocation {
    const location = this.queues.get(queue);
    if (!location) throw new UsageError(`The queue must be one of ${[...this.queues.keys()].join(', ')}.`);
    return location;
  }

  private summarize(queue: string, item: Item): WorkSummary {
    const { _id, state, attempts, createdAt, availableAt } = item;
    const lastError = item.lastError === null ? null : withoutValues(item.lastError);
    const about = Object.fromEntries(this.locationOf(queue).about.map((path) => [path, read(item, path)]));
    return { queue, id: _id.toHexString(), state, attempts, lastError, createdAt, availableAt, about };
  }
}

function read(item: object, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], item);
}

function toId(id: string): Types.ObjectId {
  if (!/^[0-9a-f]{24}$/.test(id)) throw new UsageError('The id must have 24 hexadecimal digits.');
  return new Types.ObjectId(id);
}

function notParked(queue: string, id: string): NotFoundError {
  return new NotFoundError(
    `The queue ${queue} has no parked item ${id}: it may have been retried or dropped meanwhile.`,
  );
}
