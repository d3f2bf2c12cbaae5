/**
 * What a second worker gives, and what NGINX costs: `npm run bench:cluster`. Needs wrk and nginx. Prints Markdown.
 *
 * Environment: BENCH_ROUNDS (7), BENCH_SECONDS (a measurement; 5), BENCH_CONNECTIONS (32).
 */
import { availableParallelism, loadavg } from 'node:os';
import { randomOf } from '../build/modules/tasks/seed/random.js';
import { insertTasks, tokenIssuer } from './support/data.mjs';
import { startNginx } from './support/nginx.mjs';
import { startServers, startService } from './support/stack.mjs';
import { read, spread } from './support/wrk.mjs';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 7);
const SECONDS = Number(process.env.BENCH_SECONDS ?? 5);
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 32);
/** Answered from the cache: the process is what is measured, not the database. */
const LIST = '/api/v1/tasks';
const TASKS = 20;

const servers = await startServers();
const one = await startService(servers.environment);
const two = await startService({ ...servers.environment, WORKERS: '2' });
const nginx = await startNginx(one.url);
const [person] = await insertTasks(servers.mongodbUri, 1, TASKS, randomOf(1).number, () => undefined);
const token = tokenIssuer(servers.privateKey)(person.id);

const measure = (url, connections) => read(url, { tokens: [token], paths: [LIST], connections, seconds: SECONDS });

try {
  const rounds = [];
  for (let round = -1; round < ROUNDS; round++) {
    const figures = {
      one: (await measure(one.url, CONNECTIONS)).perSecond,
      two: (await measure(two.url, CONNECTIONS)).perSecond,
      nginx: (await measure(nginx.url, CONNECTIONS)).perSecond,
      direct: (await measure(one.url, 1)).median,
      behind: (await measure(nginx.url, 1)).median,
    };
    process.stderr.write(`${JSON.stringify(figures)}\n`);
    if (round >= 0) rounds.push(figures); // the first one warms up
  }
  const column = (of, digits) => spread(rounds.map(of), digits);
  console.log(
    `${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}, ${ROUNDS} rounds of ${SECONDS} s each, ${CONNECTIONS} connections\n`,
  );
  console.log('| | median (least to most) |\n| --- | --- |');
  console.log(`| requests/s, one process | ${column(({ one }) => one, 0)} |`);
  console.log(`| two workers, times that | ${column(({ one, two }) => two / one, 2)} |`);
  console.log(`| one process behind NGINX, times that | ${column(({ one, nginx }) => nginx / one, 2)} |`);
  console.log(`| one request after the other, ms | ${column(({ direct }) => direct, 2)} |`);
  console.log(`| the same through NGINX, ms more | ${column(({ direct, behind }) => behind - direct, 2)} |`);
} finally {
  await nginx.stop();
  await Promise.all([one.stop(), two.stop()]);
  await servers.stop();
}
