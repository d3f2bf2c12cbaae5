export type ShardKey = Record<string, 1 | 'hashed'>;

const BY_ID: ShardKey = { _id: 'hashed' };
const BY_USER: ShardKey = { user: 'hashed' };

/**
 * What is spread over shards, and by what: the field that its hot queries name. What isn't here (queues, feeds, jobs) stays
 * on one shard: it empties itself, and is looked for by what is due, which would ask every shard.
 */
export const SHARD_KEYS: Record<string, ShardKey> = {
  emails: { _id: 1 },
  accounts: BY_ID,
  users: BY_ID,
  contacts: BY_ID,
  taskowners: BY_ID,
  sessions: BY_ID,
  apikeys: BY_ID,
  onetimetokens: BY_ID,
  attemptcounters: BY_ID,
  tasks: BY_USER,
  deletedtasks: BY_USER,
  taskchanges: BY_USER,
  notifications: BY_USER,
  idempotencykeys: BY_USER,
  storageusages: BY_ID,
  storagereservations: BY_USER,
};

/** Addresses by their first letter: each zone is a range, from its bound up to the next one's. */
export const EMAIL_ZONES = [
  { name: 'emails-a-h', from: undefined, to: 'i' },
  { name: 'emails-i-p', from: 'i', to: 'q' },
  { name: 'emails-q-z', from: 'q', to: undefined },
] as const;

/** A query that runs often, by the fields that its filter names with `=` or `$in`. */
export interface HotQuery {
  what: string;
  collection: string;
  fields: string[];
}

export const HOT_QUERIES: HotQuery[] = [
  { what: 'whose address it is', collection: 'emails', fields: ['_id'] },
  { what: 'an account', collection: 'accounts', fields: ['_id'] },
  { what: 'failed log-ins', collection: 'attemptcounters', fields: ['_id'] },
  { what: 'the session of a refresh token', collection: 'sessions', fields: ['_id'] },
  { what: "a user's sessions", collection: 'sessions', fields: ['user'] },
  { what: 'an API key', collection: 'apikeys', fields: ['_id'] },
  { what: "a user's API keys", collection: 'apikeys', fields: ['user'] },
  { what: 'a token of a mail', collection: 'onetimetokens', fields: ['_id'] },
  { what: 'a profile', collection: 'users', fields: ['_id'] },
  { what: "the managers' list of users", collection: 'users', fields: [] },
  { what: 'a list of tasks, and statistics', collection: 'tasks', fields: ['user'] },
  { what: 'a task', collection: 'tasks', fields: ['_id', 'user'] },
  { what: 'a deleted task', collection: 'deletedtasks', fields: ['_id', 'user'] },
  { what: "a task's history", collection: 'taskchanges', fields: ['user', 'task'] },
  { what: 'notifications, and how many are unread', collection: 'notifications', fields: ['user'] },
  { what: 'a creation that is repeated', collection: 'idempotencykeys', fields: ['_id', 'user'] },
  { what: 'how many bytes a user has stored', collection: 'storageusages', fields: ['_id'] },
  { what: 'whom to notify', collection: 'contacts', fields: ['_id'] },
];
