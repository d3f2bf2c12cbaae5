import fc from 'fast-check';
import { Cluster } from './support/cluster.js';
import { Findings, Person } from './support/person.js';
import { LANES, type Round, script, SLOTS, type Step, USERS } from './support/script.js';
import { STORIES } from './support/stories.js';

/**
 * Three instances under random interleavings of changes and reads, while Redis and instances fail: no read that begins after a
 * change was acknowledged shows what was before it, on any instance. `CACHE_OPERATIONS` says how many requests,
 * `CACHE_SEED` which: others each time; the seed of a run is in its title.
 */
const OPERATIONS = Number(process.env['CACHE_OPERATIONS'] ?? 1000);
const SEED = Number(process.env['CACHE_SEED'] ?? Date.now() % 2 ** 31);
/** A lane's step is one request, and a change is read back on the other instances at once. */
const OPERATIONS_A_ROUND = LANES * 8 * 1.5;
/** Then others come: an access token doesn't live as long as the long run. */
const ROUNDS_OF_A_USER = 100;
const SHOWN = 5;
const START_PATIENCE_MS = 180_000;

let cluster: Cluster;
const findings = new Findings();
let persons: Person[];
beforeAll(async () => void (cluster = await Cluster.start()), START_PATIENCE_MS);
afterAll(() => cluster.stop());

function registerAll(round: number): Promise<Person[]> {
  const names = Array.from({ length: USERS }, (_, user) => `user${round + user}`);
  return Promise.all(names.map((name) => Person.register(name, SLOTS, cluster.instance(0), findings)));
}

function personAt(user: number): Person {
  return persons[user] as Person;
}

async function take(step: Step, lane: number): Promise<void> {
  const at = cluster.instance(step.instance);
  const [user, slot] = [lane % USERS, Math.floor(lane / USERS)];
  if (step.kind === 'create') await personAt(user).create(at);
  else if (step.kind === 'list') await personAt(step.user).list(at, step.limit);
  else if (step.kind === 'one') await personAt(step.user).one(at, step.slot);
  else if (step.kind === 'stats') await personAt(step.user).stats(at);
  else {
    await personAt(user).change(slot, at);
    const [one, other] = cluster.others(step.instance);
    if (one && other) await Promise.all([personAt(user).list(one, 5), personAt(user).one(other, slot)]);
  }
}

async function work(lanes: Step[][]): Promise<void> {
  await Promise.all(
    lanes.map(async (steps, lane) => {
      for (const step of steps) await take(step, lane);
    }),
  );
}

async function run({ fault, victim, lanes }: Round, index: number): Promise<void> {
  const story = STORIES[fault];
  if (story) await story(cluster, personAt(victim % USERS), victim);
  // On a busy machine a cache may be out of use for a moment, just then.
  if ((fault === 'late' || fault === 'died') && cluster.reached[fault] === 0) {
    await story?.(cluster, personAt(victim % USERS), victim);
  }
  await cluster.during(fault, victim, () => work(lanes));
  const seen = [...findings.stale, ...findings.leaks];
  if (seen.length > 0) throw new Error(`round ${index}, ${fault} ${victim}: ${seen.slice(0, SHOWN).join('; ')}`);
}

it(
  `nothing stale and nothing of others' in ${OPERATIONS} operations under faults (CACHE_SEED=${SEED})`,
  async () => {
    const [rounds = []] = fc.sample(script(Math.ceil(OPERATIONS / OPERATIONS_A_ROUND)), { seed: SEED, numRuns: 1 });
    for (const [index, round] of rounds.entries()) {
      if (index % ROUNDS_OF_A_USER === 0) persons = await registerAll(index);
      await run(round, index);
    }
    const { reads, hits, changes } = findings.tally;
    expect(reads + changes).toBeGreaterThan(OPERATIONS / 2);
    // Else it wouldn't be about the cache.
    expect(hits / reads).toBeGreaterThan(0.1);
    for (const story of ['late', 'died'] as const) {
      if (rounds.some(({ fault }) => fault === story)) expect(cluster.reached[story]).toBeGreaterThan(0);
    }
  },
  60_000 + OPERATIONS * 300,
);
