import { setTimeout as delay } from 'node:timers/promises';
import { ObjectId } from 'mongodb';
import { FILL } from '../../../src/platform/cache/cache-scripts.js';
import { databaseOf } from '../../support/database.js';
import { waitFor } from '../../support/wait-for.js';
import type { Cluster } from './cluster.js';
import type { Person } from './person.js';
import { type Fault, INSTANCES } from './script.js';

/** For how long what nobody acknowledged may stay out of date. */
const REPAIRED_WITHIN_MS = 2000;
const REQUESTS_ARRIVE_MS = 100;
/** The script that stores an answer: its digest, or its text where Redis doesn't know it. */
const STORES = new RegExp(`${FILL.sha1}|HSTRLEN`);

type Story = (cluster: Cluster, person: Person, victim: number) => Promise<void>;

/** What chance would need too long for: told once in each block of rounds, and then the lanes go on. */
export const STORIES: Partial<Record<Fault, Story>> = {
  late: storeLate,
  died: dieBeforeInvalidating,
  woken: wakeUp,
  restored: comeBackWithOldData,
  moved: moveOn,
};

/** Whatever happened before: all instances cache again. */
async function untilCached(cluster: Cluster, person: Person): Promise<void> {
  for (const instance of cluster.instances) await waitFor('an answer from the cache', () => person.list(instance, 5));
}

/** An instance stores what it read before another one changed it, when somebody has asked for it anew. */
async function storeLate(cluster: Cluster, person: Person, victim: number): Promise<void> {
  const [other, third] = cluster.others(victim);
  if (!other || !third) return;
  await untilCached(cluster, person);
  await person.change(0, other);
  const heldBack = cluster.proxy(victim).holdBack(STORES);
  const read = person.list(cluster.instance(victim), 5);
  await cluster.count('late', heldBack, read);
  await person.change(0, other);
  await person.list(third, 5);
  cluster.proxy(victim).release();
  await read;
  await delay(REQUESTS_ARRIVE_MS);
  for (const instance of cluster.instances) await person.list(instance, 5);
}

/** An instance is killed when its invalidation is on the way: what it has committed shows everywhere in time. */
async function dieBeforeInvalidating(cluster: Cluster, person: Person, victim: number): Promise<void> {
  const [instance, others] = [cluster.instance(victim), cluster.others(victim)];
  await untilCached(cluster, person);
  const heldBack = cluster.proxy(victim).holdBack(/unlink/i);
  const change = person.change(0, instance);
  // Where Redis has just been restarted it makes a flag instead, and is acknowledged: then that is to be seen.
  await cluster.count('died', heldBack, change);
  await instance.kill();
  await change;
  cluster.proxy(victim).release();
  const task = await databaseOf(instance)
    .collection('tasks')
    .findOne({ _id: new ObjectId(person.ids[0]) });
  await delay(REPAIRED_WITHIN_MS);
  person.expect(0, Number(String(task?.['title']).split(' ')[2]));
  for (const other of others) await Promise.all([person.list(other, 5), person.one(other, 0)]);
  await instance.start();
}

/** What an instance believed before it was stopped counts no more when it goes on: reads that waited for it are up to date. */
async function wakeUp(cluster: Cluster, person: Person, victim: number): Promise<void> {
  const instance = cluster.instance(victim);
  const [writer, other] = [(victim + 1) % INSTANCES, (victim + 2) % INSTANCES];
  await Promise.all([person.list(instance, 5), person.one(instance, 0)]);
  instance.freeze();
  for (const index of [writer, other]) cluster.proxy(index).block();
  await person.change(0, cluster.instance(writer));
  const reads = Promise.all([person.list(instance, 5), person.one(instance, 0)]);
  await delay(REQUESTS_ARRIVE_MS);
  instance.thaw();
  await reads;
  for (const index of [writer, other]) cluster.proxy(index).unblock();
}

/** Redis forgets a change and remembers what was cached before it; nobody changes anything afterwards. */
async function comeBackWithOldData(cluster: Cluster, person: Person, victim: number): Promise<void> {
  for (const instance of cluster.instances) await person.list(instance, 5);
  await cluster.during('restored', victim, async () => void (await person.change(0, cluster.instance(victim))));
  const until = Date.now() + REPAIRED_WITHIN_MS;
  while (Date.now() < until) await Promise.all(cluster.instances.map((instance) => person.list(instance, 5)));
}

/** Redis fails over, and one instance still talks to the former one: it must have stopped before the others rely on the new. */
async function moveOn(cluster: Cluster, person: Person, victim: number): Promise<void> {
  const behind = cluster.instance(victim);
  const state = databaseOf(behind).collection<{ _id: string; epoch: string }>('cachestate');
  const epoch = async () => (await state.findOne({ _id: 'epoch' }))?.epoch;
  const former = await epoch();
  await person.list(behind, 5);
  await cluster.failOver(victim, async () => {
    while ((await epoch()) === former) await person.list(behind, 5);
    await Promise.all(
      cluster.others(victim).map(async (other, slot) => {
        await person.change(slot, other);
        await person.list(behind, 5);
      }),
    );
  });
}
