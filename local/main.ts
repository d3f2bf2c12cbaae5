import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import {
  configurationOf,
  documentedNames,
  givenValue,
  isGiven,
  loadDotEnv,
  serviceEnvironment,
} from './environment.js';
import { tryLock } from './lock.js';
import { withDatabase } from './mongodb.js';
import { LOCAL_DIR, PROJECT_ROOT } from './paths.js';
import { portFor } from './ports.js';
import { killProcesses, shutDownProcesses } from './process.js';
import { readyScreen, say } from './screen.js';
import { loadSecrets } from './secrets.js';
import { type RunningShape, startShape } from './shape-processes.js';
import { assertInstalled, type Shape, SHAPES } from './shapes.js';
import { type Stack, startStack } from './stack.js';
import { readState, removeState, writeState } from './state.js';
import { runTool, ToolError } from './tool.js';

const STATE_FILE = join(LOCAL_DIR, 'state.json');
const DATABASE = 'scalable_api';
const USUAL_PORT = 5000;
const USUAL_METRICS_PORT = 9464;

let stopping = false;
/** Whether this process is the one that runs the stack of this checkout. */
let inCharge = false;
let stack: Stack | undefined;
let service: RunningShape | undefined;

function show(line: string): void {
  if (!stopping) say(line);
}

/** The addresses that are given replace servers of our own. */
function givenServers(): NodeJS.ProcessEnv {
  const names = ['MONGODB_URI', 'REDIS_URL', 'SMTP_URL'];
  return Object.fromEntries(names.map((name) => [name, givenValue(process.env, name)]));
}

function takeFolder(): void {
  try {
    mkdirSync(LOCAL_DIR, { recursive: true });
    accessSync(LOCAL_DIR, constants.W_OK);
  } catch {
    throw new Error(`${LOCAL_DIR} can't be written to: start as the user it belongs to, or remove it.`);
  }
  if (statSync(LOCAL_DIR).uid !== process.getuid?.()) {
    // Root could write there, but the owner's later starts would stumble over what root made.
    throw new Error(`${LOCAL_DIR} belongs to another user: start as that one, or remove it.`);
  }
  const lock = tryLock(join(LOCAL_DIR, 'lock'));
  inCharge = 'release' in lock;
  if ('release' in lock) return;
  const url = readState(STATE_FILE)?.url ?? 'not ready yet';
  throw new Error(`The stack runs already (process ${lock.pid}, ${url}): stop it there with Ctrl-C first.`);
}

/** Compiles what is stale while servers are fetched and started. */
async function build(): Promise<void> {
  try {
    await runTool(process.execPath, [join(PROJECT_ROOT, 'scripts/build.mjs'), '--if-stale'], { onLine: show });
  } catch (error) {
    throw error instanceof ToolError ? new Error('The build failed: mend what it says above.') : error;
  }
}

/** Of the command's argument: `npm start` has none. */
function chosenShape(): Shape {
  const [, , name = 'single'] = process.argv;
  if (Object.hasOwn(SHAPES, name)) return name as Shape;
  throw new Error(`There is no ${name}: the service starts as ${Object.keys(SHAPES).join(', ')}.`);
}

/** The service's environment: the stack's values, where none are given; and what of it other commands need. */
function environmentFor({ mongodbUri, redisUrl, smtpUrl }: Stack, port: number, metricsPort: number) {
  const own = {
    NODE_ENV: 'development',
    HOST: '127.0.0.1',
    METRICS_PORT: String(metricsPort),
    MONGODB_URI: isGiven(process.env, 'MONGODB_URI') ? mongodbUri : withDatabase(mongodbUri, DATABASE),
    REDIS_URL: redisUrl,
    PUBLIC_URL: `http://localhost:${port}`,
    SMTP_URL: smtpUrl,
    MAIL_FROM: 'Scalable API <no-reply@localhost.localdomain>',
    SMS_COUNTRIES: '*',
    ...(isGiven(process.env, 'S3_BUCKET') ? {} : { STORAGE_PATH: join(LOCAL_DIR, 'files') }),
    // Nobody routes to this process: there is nothing to wait for before it stops.
    SHUTDOWN_DRAIN_SECONDS: '0',
    ...loadSecrets(join(LOCAL_DIR, 'secrets.json')),
  };
  const env = serviceEnvironment(process.env, own);
  const example = join(PROJECT_ROOT, '.env.example');
  const documented = existsSync(example) ? documentedNames(readFileSync(example, 'utf8')) : [];
  return { env, names: new Set([...Object.keys(own), ...documented]) };
}

async function start(): Promise<void> {
  const begun = Date.now();
  const shape = chosenShape();
  loadDotEnv(PROJECT_ROOT);
  assertInstalled(shape, process.env);
  takeFolder();
  const port = await portFor('PORT', USUAL_PORT, process.env);
  const metricsPort = await portFor('METRICS_PORT', USUAL_METRICS_PORT, process.env);
  const built = build();
  const stackStarted = startStack({
    dataDir: LOCAL_DIR,
    env: givenServers(),
    usualPorts: true,
    log: show,
    onMail: ({ file, to }) => show(`mail to ${to.join(', ')}: ${relative(process.cwd(), file)}`),
  });
  // A failed build is known long before a download ends.
  await Promise.race([built.then(() => stackStarted), stackStarted]);
  stack = await stackStarted;
  await built;
  const { env, names } = environmentFor(stack, port, metricsPort);
  const url = `http://localhost:${port}`;
  service = await startShape({ shape, stack, port, env, database: DATABASE });
  const { processes } = service;
  // Operators' commands are about accounts more than about anything else, and the first process has those.
  writeState(STATE_FILE, { url, env: configurationOf(processes[0]!.env, names) });
  const seconds = (Date.now() - begun) / 1000;
  const mailDir = isGiven(process.env, 'SMTP_URL') ? {} : { mailDir: stack.mailDir };
  show(readyScreen({ url, processes, seconds, ...mailDir }));
}

/** Ends everything, then this process. */
async function stop(exitCode: number, why: string): Promise<never> {
  if (stopping) return new Promise(() => undefined);
  say(why);
  stopping = true;
  // The youngest first: what uses a server ends before the server.
  await shutDownProcesses();
  await stack?.stop();
  if (inCharge) removeState(STATE_FILE);
  if (exitCode === 0) say('Stopped.');
  process.exit(exitCode);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (stopping) killProcesses();
    else void stop(0, '\nStopping (once more to insist) ...');
  });
}
// The terminal may go before we do.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

try {
  await start();
  const failure = await Promise.race([
    service!.failed.then((what) => `${what}.`),
    stack!.failed.then(
      (what) => `The stack can't go on: ${what}; its log is in ${relative(process.cwd(), LOCAL_DIR)}/logs.`,
    ),
  ]);
  await stop(1, failure);
} catch (error) {
  await stop(1, error instanceof Error ? error.message : String(error));
}
