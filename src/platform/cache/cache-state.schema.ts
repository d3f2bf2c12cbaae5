import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** How long what MongoDB was seen to hold may be relied on, from before it was asked, in milliseconds. */
export const LEASE_MS = 500;
/** The id of the one document that says which Redis, and which keys in it, are in use. */
export const EPOCH = 'epoch';

/**
 * What MongoDB knows of the cache: the epoch, and the invalidations that writes still owe to Redis. The states are in
 * this order on purpose: one look, from the epoch downwards, gives it and the first flag.
 *
 * - `epoch`: the keys in use, see `Epoch`
 * - `bypass`: an invalidation that couldn't be made, and so a flag: nobody may serve from the cache
 * - `owed`: an invalidation that a writer is about to make, or died before
 */
@Schema({ collection: 'cachestate', versionKey: false })
export class CacheState {
  /** `epoch`, or an ObjectId in hex, so that older invalidations come first. */
  @Prop({ type: String, required: true })
  _id!: string;

  @Prop({ type: String, required: true })
  state!: 'epoch' | 'bypass' | 'owed';

  /** Of an invalidation: whose answers of which scope, as `<user>:<scope>`. */
  @Prop({ type: [String], default: undefined })
  targets?: string[];

  /** Of the epoch: random, part of every key. */
  @Prop({ type: String })
  epoch?: string;

  /** Of the epoch: the run id of the Redis that holds its keys. */
  @Prop({ type: String })
  server?: string;

  /** Of the epoch: whether nobody can hold a lease of the one before any more. */
  @Prop({ type: Boolean })
  settled?: boolean;
}

/** What the epoch's document holds. */
export type Epoch = Required<Pick<CacheState, 'epoch' | 'server' | 'settled'>>;

export const CacheStateSchema = SchemaFactory.createForClass(CacheState);
CacheStateSchema.index({ state: -1, _id: 1 });
