import { isDeepStrictEqual } from 'node:util';
import mongoose from 'mongoose';
import type { HotQuery, ShardKey } from '../../contracts/module-manifest.js';
import { EMAIL_ZONES, HOT_QUERIES, SHARD_KEYS } from './shard-keys.js';

/** How a cluster is set up, as mongos tells it. */
export interface ClusterState {
  /** Of each shard: its id, and the zones it is in. */
  shards: { id: string; zones: string[] }[];
  /** Sharded collections, by name, with their keys. */
  keys: Record<string, object>;
  /** Ranges of `emails` that have a zone, by the zone's name. */
  emailZones: string[];
}

/** A command for mongos; `database` says where it is sent. */
export interface Step {
  database: 'admin' | 'data';
  command: Record<string, unknown>;
}

/** A collection that is sharded already, by another key: zones can't be added to it. */
export class OtherShardKeyError extends Error {
  constructor(collection: string, key: object) {
    super(
      `${collection} is sharded by ${JSON.stringify(key)}, not by ${JSON.stringify(SHARD_KEYS[collection])}: ` +
        'reshardCollection changes that.',
    );
  }
}

/**
 * What is left to do, in order; nothing on a cluster where all has been done. Zones come before the collection they are
 * about is sharded: it then has a chunk in each from the beginning.
 *
 * @param database the name of the service's database
 * @throws OtherShardKeyError
 */
export function planSharding(database: string, { shards, keys, emailZones }: ClusterState): Step[] {
  const steps: Step[] = [];
  EMAIL_ZONES.forEach(({ name }, index) => {
    if (shards.some(({ zones }) => zones.includes(name))) return;
    const shard = shards[index % shards.length];
    if (shard) steps.push({ database: 'admin', command: { addShardToZone: shard.id, zone: name } });
  });
  for (const { name, from, to } of EMAIL_ZONES) {
    if (emailZones.includes(name)) continue;
    const [min, max] = [{ _id: from ?? new mongoose.mongo.MinKey() }, { _id: to ?? new mongoose.mongo.MaxKey() }];
    steps.push({
      database: 'admin',
      command: { updateZoneKeyRange: `${database}.emails`, min, max, zone: name },
    });
  }
  for (const [collection, key] of Object.entries(SHARD_KEYS)) {
    const actual = keys[collection];
    if (actual && !isDeepStrictEqual({ ...actual }, { ...key })) throw new OtherShardKeyError(collection, actual);
    if (actual) continue;
    // A collection that has documents needs an index of the key first.
    steps.push({ database: 'data', command: { createIndexes: collection, indexes: [indexOf(key)] } });
    steps.push({ database: 'admin', command: { shardCollection: `${database}.${collection}`, key } });
  }
  return steps.filter(({ command }) => !isIndexOfId(command));
}

const indexOf = (key: ShardKey) => ({
  key,
  name: Object.entries(key)
    .map((part) => part.join('_'))
    .join('_'),
});

/** Every collection has that one. */
const isIndexOfId = ({ indexes }: Step['command']): boolean => isDeepStrictEqual(indexes, [indexOf({ _id: 1 })]);

/** The hot queries that would ask every shard, as the collections are (or would be) sharded. */
export function scatteringQueries({ keys }: Pick<ClusterState, 'keys'>): HotQuery[] {
  return HOT_QUERIES.filter(({ collection, fields }) => {
    const key = keys[collection] ?? SHARD_KEYS[collection] ?? {};
    return Object.keys(key).some((field) => !fields.includes(field));
  });
}
