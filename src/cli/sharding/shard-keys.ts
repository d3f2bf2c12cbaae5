import type { HotQuery, ShardKey } from '../../contracts/module-manifest.js';
import { MANIFESTS } from '../../modules.js';

/** Every collection of the platform's, with its shard key; null where it stays on one shard. */
const PLATFORM_COLLECTIONS: Readonly<Record<string, ShardKey | null>> = {
  apikeys: { _id: 'hashed' },
  idempotencykeys: { user: 'hashed' },
  storageusages: { _id: 'hashed' },
  storagereservations: { user: 'hashed' },
  cachestate: null,
  inbox: null,
  migrations: null,
  objectremovals: null,
  outbox: null,
  quotas: null,
  recurringjobs: null,
  revocations: null,
  tombstones: null,
};

const PLATFORM_QUERIES: readonly HotQuery[] = [
  { what: 'an API key', collection: 'apikeys', fields: ['_id'] },
  { what: "a user's API keys", collection: 'apikeys', fields: ['user'] },
  { what: 'a creation that is repeated', collection: 'idempotencykeys', fields: ['_id', 'user'] },
  { what: 'how many bytes a user has stored', collection: 'storageusages', fields: ['_id'] },
];

/** Every collection of the service, with its shard key or null. */
export const COLLECTIONS: Readonly<Record<string, ShardKey | null>> = Object.fromEntries(
  [...MANIFESTS.map(({ collections }) => collections), PLATFORM_COLLECTIONS].flatMap((each) => Object.entries(each)),
);

/**
 * What is spread over shards, and by what: the field that its hot queries name. What isn't here (queues, feeds, jobs) stays
 * on one shard: it empties itself, and is looked for by what is due, which would ask every shard.
 */
export const SHARD_KEYS: Record<string, ShardKey> = Object.fromEntries(
  Object.entries(COLLECTIONS).filter((entry): entry is [string, ShardKey] => entry[1] !== null),
);

/** Addresses by their first letter: each zone is a range, from its bound up to the next one's. */
export const EMAIL_ZONES = [
  { name: 'emails-a-h', from: undefined, to: 'i' },
  { name: 'emails-i-p', from: 'i', to: 'q' },
  { name: 'emails-q-z', from: 'q', to: undefined },
] as const;

export const HOT_QUERIES: readonly HotQuery[] = [
  ...MANIFESTS.flatMap(({ hotQueries }) => hotQueries),
  ...PLATFORM_QUERIES,
];
