/**
 * What the response cache takes off the database, and how fast it answers: `npm run bench:cache`. Prints Markdown.
 *
 * Environment: BENCH_USERS (1000), BENCH_TASKS (1000000), BENCH_REQUESTS (a phase; 60000), BENCH_SECONDS (30).
 */
import { insertTasks, randomFrom, tokenIssuer } from './support/data.mjs';
import { Load, percentile } from './support/load.mjs';
import { startServers, startService } from './support/stack.mjs';

const USERS = Number(process.env.BENCH_USERS ?? 1000);
const TASKS = Number(process.env.BENCH_TASKS ?? 1_000_000);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 60_000);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 30);
const LIST = '/api/v1/tasks';
const STATS = '/api/v1/tasks/stats';
const STATS_MAX_AGE_MS = 60_000;

const log = (line) => process.stderr.write(`${line}\n`);
const servers = await startServers();
const cached = await startService(servers.environment);
const plain = await startService({ ...servers.environment, CACHE_ENABLED: 'false' });
log(`inserting ${TASKS} tasks of ${USERS} users`);
const people = await insertTasks(servers.mongodbUri, USERS, TASKS, randomFrom(1), (done) => log(`${done}`));
const issue = tokenIssuer(servers.privateKey);
for (const person of people) person.token = issue(person.id);

/** Who does what: reads are lists and statistics 3 to 1, the rest are changes of a task. */
function sequence(writes, count, seed) {
  const random = randomFrom(seed);
  return Array.from({ length: count }, () => ({
    person: people[Math.floor(random() * people.length)],
    kind: random() < writes ? 'write' : random() < 0.75 ? 'list' : 'stats',
    task: random(),
  }));
}

/** Each change is one, however often a sequence is repeated. */
let changes = 0;

function perform(load, { person, kind, task }, index) {
  if (kind !== 'write') return load.send('GET', kind === 'list' ? LIST : STATS, person.token);
  const id = person.taskIds[Math.floor(task * person.taskIds.length)];
  return load.send('PATCH', `${LIST}/${id}`, person.token, { title: `Changed ${changes++} ${index}` });
}

/** Queries that a service has sent to the database: finds and aggregations, those for its metrics left out. */
async function queriesOf(service) {
  const count = async () => {
    const pattern =
      /^mongodb_command_duration_seconds_count\{command="(?:find|aggregate)",outcome="success"\} (\d+)$/gm;
    return [...(await service.metrics()).matchAll(pattern)].reduce((sum, [, value]) => sum + Number(value), 0);
  };
  const first = await count();
  const second = await count();
  return { after: second, scrape: second - first };
}

/** @returns the queries sent meanwhile, and the outcome */
async function counting(service, work) {
  const before = await queriesOf(service);
  const outcome = await work();
  const after = await queriesOf(service);
  return { ...outcome, queries: after.after - before.after - 2 * before.scrape };
}

/** Queries of a service that nobody asks anything, in a second: what it does of itself. */
async function idleRate(service) {
  const { queries } = await counting(service, () => new Promise((resolve) => setTimeout(resolve, 10_000)));
  return queries / 10;
}

/** What any cache could have saved: an answer is asked of the database again only after a write or the end of its life. */
function bestPossible(steps, results) {
  const filledAt = new Map(results.warm);
  let hits = 0;
  let reads = 0;
  for (const [index, { person, kind }] of steps.entries()) {
    if (kind === 'write') {
      filledAt.delete(`${person.id} list`);
      filledAt.delete(`${person.id} stats`);
      continue;
    }
    reads++;
    const key = `${person.id} ${kind}`;
    const { endedAt } = results[index];
    const age = endedAt - (filledAt.get(key) ?? -Infinity);
    if (age < (kind === 'stats' ? STATS_MAX_AGE_MS : Infinity)) hits++;
    else filledAt.set(key, endedAt);
  }
  return hits / reads;
}

async function reading(writes) {
  const steps = sequence(writes, REQUESTS, 1000 * writes);
  const run = async (service) => {
    const load = new Load(service.url);
    const idle = await idleRate(service);
    const warm = new Map();
    await load.closedLoop(people.length * 2, async (index) => {
      const person = people[index >> 1];
      const { endedAt } = await load.send('GET', index % 2 ? STATS : LIST, person.token);
      warm.set(`${person.id} ${index % 2 ? 'stats' : 'list'}`, endedAt);
    });
    const outcome = await counting(service, () =>
      load.closedLoop(steps.length, (index) => perform(load, steps[index], index)),
    );
    load.stop();
    outcome.results.warm = warm;
    const failed = outcome.results.filter(({ status }) => status !== 200).length;
    if (failed > 0) throw new Error(`${failed} requests failed`);
    return { ...outcome, queries: outcome.queries - idle * outcome.seconds };
  };
  log(`reading with ${writes * 100} % writes, cache off`);
  const off = await run(plain);
  log(`reading with ${writes * 100} % writes, cache on`);
  const on = await run(cached);
  const reads = steps.filter(({ kind }) => kind !== 'write').length;
  const hits = on.results.filter(({ cache }) => cache === 'HIT').length;
  return {
    removed: (off.queries - on.queries) / reads,
    hits: hits / reads,
    best: bestPossible(steps, on.results),
    perSecond: [off, on].map(({ seconds }) => Math.round(steps.length / seconds)),
  };
}

async function answering() {
  const load = new Load(cached.url);
  const read = (index) => load.send('GET', index % 4 ? LIST : STATS, people[index % people.length].token);
  await load.closedLoop(people.length * 4, read);
  log('cached answers, as many as possible');
  const { seconds } = await load.closedLoop(Math.round(REQUESTS / 4), read);
  const maximum = Math.round(REQUESTS / 4 / seconds);
  log(`cached answers, ${Math.round(maximum / 2)} a second`);
  const answers = await load.openLoop(Math.round(maximum / 2), SECONDS, read);
  load.stop();
  const hits = answers.filter(({ cache }) => cache === 'HIT').map(({ took }) => took);
  return { maximum, share: hits.length / answers.length, p50: percentile(hits, 0.5), p99: percentile(hits, 0.99) };
}

/** The same requests, in turns, at the service without a cache and at the one whose Redis is gone. */
async function withoutRedis() {
  servers.killRedis();
  const steps = sequence(0.1, Math.round(REQUESTS / 6), 3);
  const loads = [new Load(plain.url), new Load(cached.url)];
  for (const load of loads) await load.closedLoop(500, (index) => perform(load, steps[index % steps.length], index));
  const took = [[], []];
  const slice = 100;
  log('the same, Redis gone');
  for (let from = 0; from + slice <= steps.length; from += slice) {
    for (const [which, load] of loads.entries()) {
      const { results } = await load.closedLoop(slice, (index) => perform(load, steps[from + index], from + index));
      if (results.some(({ status }) => status !== 200)) throw new Error('a request failed without Redis');
      took[which].push(...results.map((result) => result.took));
    }
  }
  loads.forEach((load) => load.stop());
  return took.map((values) => percentile(values, 0.99));
}

try {
  const percent = (share) => `${(share * 100).toFixed(1)} %`;
  console.log(`${USERS} users, ${TASKS} tasks, ${REQUESTS} requests a row, lists and statistics 3 to 1\n`);
  console.log('| writes | reads taken off the database | hits | best possible | requests/s off, on |');
  console.log('| --- | --- | --- | --- | --- |');
  for (const writes of [0.1, 0.01]) {
    const { removed, hits, best, perSecond } = await reading(writes);
    const cells = [percent(writes), percent(removed), percent(hits), percent(best), perSecond.join(', ')];
    console.log(`| ${cells.join(' | ')} |`);
  }
  const { maximum, share, p50, p99 } = await answering();
  console.log(
    `\nCached answers at ${Math.round(maximum / 2)} requests/s, half of the maximum: p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms (${percent(share)} hits).`,
  );
  const [off, gone] = await withoutRedis();
  console.log(
    `Redis stopped, 10 % writes: p99 ${gone.toFixed(0)} ms, ${(gone / off).toFixed(2)} times that with the cache off (${off.toFixed(0)} ms).`,
  );
} finally {
  await Promise.all([cached.stop(), plain.stop()]);
  await servers.stop();
}
