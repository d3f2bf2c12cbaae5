import { setTimeout as delay } from 'node:timers/promises';
import type { Db } from 'mongodb';

const POLL_MS = 200;
/** Copies of users' names: the module that keeps them, and its collection. */
const COPIES = [
  ['auth', 'accounts'],
  ['notifications', 'contacts'],
] as const;

interface Copy {
  name: string;
  profileVersion: number;
}

type DatabaseOf = (module: string) => Db;

async function copiesIn(database: Db, collection: string): Promise<Map<string, Copy>> {
  const copies = await database.collection(collection).find().project({ name: 1, profileVersion: 1 }).toArray();
  return new Map(copies.map(({ _id, ...copy }) => [String(_id), copy as Copy]));
}

/** How many copies of a name aren't the name that the profile has. */
export async function countOutdated(databaseOf: DatabaseOf): Promise<number> {
  const profiles = await databaseOf('users').collection('users').find().toArray();
  let outdated = 0;
  for (const [module, collection] of COPIES) {
    const copies = await copiesIn(databaseOf(module), collection);
    outdated += profiles.filter(({ _id, name }) => copies.get(String(_id))?.name !== name).length;
  }
  return outdated;
}

/** Watches the copies until it is told to stop. @returns how often it saw one go back to an older version */
export async function countSetbacks(databaseOf: DatabaseOf, stop: AbortSignal): Promise<number> {
  const latest = new Map<string, number>();
  let setbacks = 0;
  while (!stop.aborted) {
    for (const [module, collection] of COPIES) {
      // Nothing to see while the database is down.
      const copies = await copiesIn(databaseOf(module), collection).catch(() => new Map<string, Copy>());
      for (const [user, { profileVersion }] of copies) {
        const key = `${module} ${user}`;
        if (profileVersion < (latest.get(key) ?? 0)) setbacks += 1;
        latest.set(key, profileVersion);
      }
    }
    await delay(POLL_MS, undefined, { signal: stop }).catch(() => undefined);
  }
  return setbacks;
}
