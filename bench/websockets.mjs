/**
 * What open WebSockets cost one process, and how soon each of a user's hears of a change: `npm run bench:websockets`.
 * Prints Markdown; fails where any connection is refused or lost.
 *
 * Environment: BENCH_SOCKETS (ten a user; 5000), BENCH_CHANGES (500).
 */
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from '../build/modules/tasks/seed/random.js';
import { insertTasks, tokenIssuer } from './support/data.mjs';
import { LiveSocket } from './support/live-socket.mjs';
import { Load, percentile } from './support/load.mjs';
import { startServers, startService } from './support/stack.mjs';

const SOCKETS = Number(process.env.BENCH_SOCKETS ?? 5000);
const CHANGES = Number(process.env.BENCH_CHANGES ?? 500);
/** As many as the service lets one user have. */
const SOCKETS_OF_A_USER = 10;
const TASKS_OF_A_USER = 20;
/** Whoever gets it has answered the two before. */
const THIRD_PING = 3;
const PATIENCE_MS = 90_000;
/** Files that a process has open besides its sockets, and more than that. */
const OTHER_FILES = 300;

const log = (line) => process.stderr.write(`${line}\n`);
const USERS = SOCKETS / SOCKETS_OF_A_USER;
if (!(USERS >= 1 && Number.isInteger(USERS))) throw new Error('BENCH_SOCKETS must be a multiple of 10');
// Node has raised its own limit to the most it is allowed; the service inherits that.
const files = process.report.getReport().userLimits.open_files.soft;
if (files < SOCKETS + OTHER_FILES) {
  throw new Error(`a process may open only ${files} files here: allow ${SOCKETS + OTHER_FILES} with ulimit -n`);
}

const servers = await startServers();
const service = await startService(servers.environment);
const load = new Load(service.url);
const random = randomOf(1).number;
const sockets = [];

async function metric(name) {
  return Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(await service.metrics())[1]);
}

/** Opens connections until there are as many as `count`, some at a time. @returns the seconds it took */
async function openUpTo(count, people) {
  const opened = sockets.length;
  const { results, seconds } = await load.closedLoop(count - opened, (index) =>
    LiveSocket.open(service, people[Math.floor((opened + index) / SOCKETS_OF_A_USER)].token),
  );
  sockets.push(...results);
  return seconds;
}

async function until(what, condition) {
  const deadline = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`waited for ${what} in vain`);
    await delay(5);
  }
}

/** Both sides have to say so. */
async function assertAllOpen(when) {
  const here = sockets.filter(({ isOpen }) => isOpen).length;
  const there = await metric('websocket_connections');
  if (here === SOCKETS && there === SOCKETS) return;
  throw new Error(`${when} ${here} of ${SOCKETS} sockets are open; the service counts ${there}`);
}

/** @returns for each of the user's sockets the milliseconds from the answer to the change until it was told */
async function complete({ person, taskId }) {
  const { status, endedAt } = await load.send('PATCH', `/api/v1/tasks/${taskId}`, person.token, { status: 'done' });
  if (status !== 200) throw new Error(`a change was answered with ${status}`);
  await until('a notification on all sockets', () => person.sockets.every(({ toldAt }) => toldAt.has(taskId)));
  return person.sockets.map(({ toldAt }) => toldAt.get(taskId) - endedAt);
}

try {
  // A random generator that always says 0 makes tasks that are to be done and have no due date.
  const tasks = USERS * TASKS_OF_A_USER;
  const inserted = await insertTasks(
    servers.mongodbUri,
    USERS,
    tasks,
    () => 0,
    () => undefined,
  );
  const issue = tokenIssuer(servers.privateKey);
  const people = inserted.map(({ id, taskIds }) => ({ token: issue(id), taskIds: taskIds.map(String) }));

  log(`opening ${SOCKETS} sockets`);
  const memory = { before: await metric('process_resident_memory_bytes') };
  const first = SOCKETS / 5; // by then the code is compiled, which is no socket's cost
  let seconds = await openUpTo(first, people);
  memory.first = await metric('process_resident_memory_bytes');
  seconds += await openUpTo(SOCKETS, people);
  memory.all = await metric('process_resident_memory_bytes');
  await assertAllOpen('once opened,');
  for (const [index, person] of people.entries()) {
    person.sockets = sockets.slice(index * SOCKETS_OF_A_USER, (index + 1) * SOCKETS_OF_A_USER);
  }

  const toDo = people.flatMap((person) => person.taskIds.map((taskId) => ({ person, taskId })));
  const changes = Math.min(CHANGES, toDo.length);
  log(`${changes} changes`);
  const took = [];
  for (let change = 0; change < changes; change++) {
    const [task] = toDo.splice(Math.floor(random() * toDo.length), 1);
    took.push(...(await complete(task)));
  }
  await assertAllOpen('after the changes');

  log('waiting for the heartbeats');
  await until('the heartbeats', () => sockets.every(({ pings }) => pings >= THIRD_PING));
  await assertAllOpen('after the heartbeats');
  memory.end = await metric('process_resident_memory_bytes');

  const mebibytes = (bytes) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const milliseconds = (share) => `${percentile(took, share).toFixed(0)} ms`;
  const perSocket = (memory.all - memory.first) / (SOCKETS - first) / 1024;
  console.log(
    `${SOCKETS} sockets of ${USERS} users at one process, ${availableParallelism()} cores, load ${loadavg()[0].toFixed(1)}\n`,
  );
  console.log('| | |\n| --- | --- |');
  console.log(`| opened, authenticated and up to date | in ${seconds.toFixed(1)} s |`);
  console.log(
    `| memory without any, with all, at the end | ${[memory.before, memory.all, memory.end].map(mebibytes).join(', ')} |`,
  );
  console.log(`| memory of one, from ${first} to ${SOCKETS} | ${perSocket.toFixed(1)} KiB |`);
  console.log(
    `| change answered to message on each of ten sockets, ${changes} changes | p50 ${milliseconds(0.5)}, p99 ${milliseconds(0.99)} |`,
  );
  console.log(`| open after everybody has answered two heartbeats | ${SOCKETS} |`);
} finally {
  sockets.forEach((socket) => socket.close());
  load.stop();
  await service.stop();
  await servers.stop();
}
