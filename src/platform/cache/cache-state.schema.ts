import { Prop, Schema, SchemaFactory } from '@nestjs/mongoose';

/** How long a snapshot of this state is valid, counted from before the read was sent, in milliseconds. */
export const LEASE_MS = 500;
/** The id of the one document that says which Redis, and which keys in it, are in use. */
export const EPOCH = 'epoch';

/**
 * The shared state of the cache: the epoch, and the invalidations that have not been made in Redis yet. The order of the
 * states matters: one read, from the epoch downwards, gives the epoch and the first flag.
 *
 * - `epoch`: the keys in use, see `Epoch`
 * - `bypass`: a flag, for an invalidation that could not be made: no process may serve from the cache
 * - `owed`: a pending invalidation, which its writer is about to make; another process makes it if the writer has died
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

  /** Of the epoch: whether no process can hold a lease of the epoch before any more. */
  @Prop({ type: Boolean })
  settled?: boolean;
}

/** What the epoch's document holds. */
export type Epoch = Required<Pick<CacheState, 'epoch' | 'server' | 'settled'>>;

export const CacheStateSchema = SchemaFactory.createForClass(CacheState);
CacheStateSchema.index({ state: -1, _id: 1 });
