import { MongoClient, MongoServerError } from 'mongodb';

/** The set's name in the connection string. */
export const REPLICA_SET = 'rs0';

const NOT_YET_INITIALIZED = 94;

/** What is used of a connected database "admin". */
export interface AdminCommands {
  command(command: Record<string, unknown>): Promise<Record<string, unknown>>;
}

interface SetConfig {
  version: number;
  members: { _id: number; host: string }[];
}

/**
 * Makes the server a replica set of one, or, where its data say it was one on another port, moves the set here.
 * Only a replica set has transactions.
 */
export async function configureReplicaSet(admin: AdminCommands, host: string): Promise<void> {
  let config: SetConfig;
  try {
    ({ config } = (await admin.command({ replSetGetConfig: 1 })) as unknown as { config: SetConfig });
  } catch (error) {
    if (!(error instanceof MongoServerError) || error.code !== NOT_YET_INITIALIZED) throw error;
    await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } });
    return;
  }
  const [member] = config.members;
  if (config.members.length === 1 && member?.host === host) return;
  const moved = { ...config, version: config.version + 1, members: [{ ...member, _id: 0, host }] };
  await admin.command({ replSetReconfig: moved, force: true });
}

/** Configures the set and waits until its only member takes writes. */
export async function startReplicaSet(port: number): Promise<void> {
  const host = `127.0.0.1:${port}`;
  const client = new MongoClient(`mongodb://${host}/?directConnection=true`);
  try {
    await configureReplicaSet(client.db('admin'), host);
  } finally {
    await client.close();
  }
  // Server selection for a set's primary is the wait.
  const writer = new MongoClient(`mongodb://${host}/?replicaSet=${REPLICA_SET}`);
  try {
    await writer.db('admin').command({ ping: 1 });
  } finally {
    await writer.close();
  }
}
