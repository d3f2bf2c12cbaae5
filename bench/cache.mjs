/**
 * What the response cache takes off the database, and how fast it answers: `npm run bench:cache`. Needs wrk. Prints Markdown.
 *
 * Environment: BENCH_USERS (1000), BENCH_TASKS (1000000), BENCH_REQUESTS (a phase; 60000), BENCH_ROUNDS (5),
 * BENCH_SECONDS (a round; 15).
 */
import { randomOf } from '../build/modules/tasks/seed/random.js';
import { insertTasks, tokenIssuer } from './support/data.mjs';
import { Load, percentile } from './support/load.mjs';
import { startServers, startService } from './support/stack.mjs';
import { read, spread } from './support/wrk.mjs';

const USERS = Number(process.env.BENCH_USERS ?? 1000);
const TASKS = Number(process.env.BENCH_TASKS ?? 1_000_000);
const REQUESTS = Number(process.env.BENCH_REQUESTS ?? 60_000);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 15);
/** Of as many users at once, as many as possible, and of those who pause between their requests. */
const [GREEDY, PATIENT] = [32, 128];
const LIST = '/api/v1/tasks';
const STATS = '/api/v1/tasks/stats';
const STATS_MAX_AGE_MS = 60_000;

const log = (line) => process.stderr.write(`${line}\n`);
const servers = await startServers();
const cached = await startService(servers.environment);
const plain = await startService({ ...servers.environment, CACHE_ENABLED: 'false' });
log(`inserting ${TASKS} tasks of ${USERS} users`);
const people = await insertTasks(servers.mongodbUri, USERS, TASKS, randomOf(1).number, (done) => log(`${done}`));
const issue = tokenIssuer(servers.privateKey);
for (const person of people) person.token = issue(person.id);

/** Who does what: reads are lists and statistics 3 to 1, the rest are changes of a task. */
function sequence(writes, count, seed) {
  const random = randomOf(seed).number;
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
    const filledAt = await warm(load);
    const outcome = await counting(service, () =>
      load.closedLoop(steps.length, (index) => perform(load, steps[index], index)),
    );
    load.stop();
    outcome.results.warm = filledAt;
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

/** Has each user's list and statistics cached. @returns when each was, in milliseconds */
async function warm(load) {
  const filledAt = new Map();
  await load.closedLoop(people.length * 2, async (index) => {
    const person = people[index >> 1];
    const { endedAt } = await load.send('GET', index % 2 ? STATS : LIST, person.token);
    filledAt.set(`${person.id} ${index % 2 ? 'stats' : 'list'}`, endedAt);
  });
  return filledAt;
}

/** Hits, and all that could have been. */
async function cacheUse(service) {
  const pattern = /^response_cache_requests_total\{scope="tasks",outcome="(\w+)"\} (\d+)$/gm;
  const counts = [...(await service.metrics()).matchAll(pattern)].map(([, outcome, count]) => [outcome, Number(count)]);
  return { hits: Object.fromEntries(counts).hit, all: counts.reduce((sum, [, count]) => sum + count, 0) };
}

async function answering() {
  const load = new Load(cached.url);
  // Lists alone: statistics end after a minute, and what renews them is no cached answer.
  const reads = { tokens: people.map(({ token }) => token), paths: [LIST], seconds: SECONDS };
  const rounds = [];
  let [hits, all] = [0, 0];
  await warm(load);
  for (let round = -1; round < ROUNDS; round++) {
    const { perSecond: maximum } = await read(cached.url, { ...reads, connections: GREEDY });
    const before = await cacheUse(cached);
    const pauseMs = Math.round((PATIENT / (maximum / 2)) * 1000);
    const half = await read(cached.url, { ...reads, connections: PATIENT, pauseMs });
    const after = await cacheUse(cached);
    log(`cached answers: at most ${maximum.toFixed()} a second; ${JSON.stringify(half)}`);
    if (round < 0) continue; // the first one compiles
    rounds.push({ maximum, half });
    hits += after.hits - before.hits;
    all += after.all - before.all;
  }
  load.stop();
  return { rounds, share: hits / all };
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
  const { rounds, share } = await answering();
  const column = (of, digits) => spread(rounds.map(of), digits);
  console.log(`\n${ROUNDS} rounds of ${SECONDS} s, ${percent(share)} hits\n`);
  console.log('| cached answers | median (least to most) |\n| --- | --- |');
  console.log(`| requests/s, at most | ${column(({ maximum }) => maximum, 0)} |`);
  console.log(`| requests/s, half of that | ${column(({ half }) => half.perSecond, 0)} |`);
  console.log(`| p50 then, ms | ${column(({ half }) => half.median, 1)} |`);
  console.log(`| p99 then, ms | ${column(({ half }) => half.p99, 1)} |`);
  const [off, gone] = await withoutRedis();
  console.log(
    `Redis stopped, 10 % writes: p99 ${gone.toFixed(0)} ms, ${(gone / off).toFixed(2)} times that with the cache off (${off.toFixed(0)} ms).`,
  );
} finally {
  await Promise.all([cached.stop(), plain.stop()]);
  await servers.stop();
}
