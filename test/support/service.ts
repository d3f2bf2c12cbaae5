import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { MongoClient } from 'mongodb';
import webPush from 'web-push';

/** Environment variables beside or instead of the usual ones; undefined removes one. */
export type EnvironmentOverrides = Record<string, string | undefined>;

const READY_TIMEOUT_MS = 180_000;
const STOP_TIMEOUT_MS = 30_000;
const SHOWN_OUTPUT = 3000;
const LISTENING = /"msg":"listening on (http:\/\/[^"]+)"/;
const METRICS = /"msg":"metrics on port (\d+)"/;

type LogLine = Record<string, unknown>;

/** What a process has written since its start, and what is known from it. */
interface ProcessOutput {
  lines: string[];
  /** Of the first lines: each parsed, undefined where it isn't JSON. */
  parsed: (LogLine | undefined)[];
  url?: string;
  metricsPort?: string;
}

const running = new Set<TestService>();
const databases = new Set<string>();

/** Variables that the stack of this run gave its addresses in. */
function given(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run the tests with Jest, whose set-up starts what they need`);
  return value;
}

/** The address of a database of this run's MongoDB. */
export function databaseUri(databaseName: string): string {
  const uri = new URL(given('TEST_MONGODB_URI'));
  uri.pathname = `/${databaseName}`;
  return uri.href;
}

/** Where the files of a service are that keeps them on disk; removed after the test file. */
export function storagePath(databaseName: string): string {
  return join(given('TEST_STORAGE_DIR'), databaseName);
}

/** An environment of a test's own: a fresh database, fresh secrets, limits that nothing runs into. */
function freshEnvironment(databaseName: string): EnvironmentOverrides {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  return {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    NODE_COMPILE_CACHE: process.env['NODE_COMPILE_CACHE'],
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    METRICS_PORT: '0',
    PUBLIC_URL: 'http://127.0.0.1:5000',
    MONGODB_URI: databaseUri(databaseName),
    MONGODB_MIN_POOL_SIZE: '0',
    REDIS_URL: given('TEST_REDIS_URL'),
    SMTP_URL: given('TEST_SMTP_URL'),
    MAIL_FROM: 'Scalable API <no-reply@example.org>',
    ...newVapidKeys(),
    SMS_COUNTRIES: '*',
    APP_SECRETS: randomBytes(48).toString('base64'),
    JWT_PRIVATE_KEYS: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    STORAGE_PATH: storagePath(databaseName),
    THROTTLE_GENERAL_LIMIT: '1000000',
    THROTTLE_STRICT_LIMIT: '1000000',
    LOGIN_ADDRESS_FAILURES: '1000000',
    // A busy machine isn't what these tests are about; the one that is lowers it.
    MAX_EVENT_LOOP_LAG_MS: '60000',
    TRANSACTION_MAX_WAIT_MS: '60000',
    PASSWORD_MAX_WAIT_MS: '60000',
    SHUTDOWN_DRAIN_SECONDS: '0',
  };
}

function newVapidKeys(): EnvironmentOverrides {
  const { publicKey, privateKey } = webPush.generateVAPIDKeys();
  return { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey };
}

/** The built service as a process of its own. */
export class TestService {
  private child?: ChildProcess;
  private output: ProcessOutput = { lines: [], parsed: [] };
  private exited: Promise<number | NodeJS.Signals> = Promise.resolve(0);
  /** Whether the test has asked for the end of the process. */
  private mayEnd = false;

  constructor(
    readonly databaseName: string,
    readonly environment: EnvironmentOverrides,
    /** The folder whose `dist/` it runs. */
    private readonly root = process.cwd(),
  ) {}

  /** `http://127.0.0.1:port`; another port after a restart. */
  get url(): string {
    return known(this.output.url);
  }

  get metricsUrl(): string {
    return `http://127.0.0.1:${known(this.output.metricsPort)}`;
  }

  get mongodbUri(): string {
    return databaseUri(this.databaseName);
  }

  get isRunning(): boolean {
    return running.has(this) && this.child?.exitCode === null && this.child.signalCode === null;
  }

  /** All that the process has written since its last start. */
  logs(): string {
    return this.output.lines.map((line) => `${line}\n`).join('');
  }

  /** The last of it, for a message. */
  get tail(): string {
    return this.logs().slice(-SHOWN_OUTPUT);
  }

  /** The lines of the log, parsed; each once, since tests under load ask again and again. */
  logLines(): LogLine[] {
    const { lines, parsed } = this.output;
    while (parsed.length < lines.length) parsed.push(parseLine(lines[parsed.length]!));
    return parsed.filter((line) => line !== undefined);
  }

  /** @throws Error with the last output when it ends or doesn't listen in time */
  async start(): Promise<this> {
    const output: ProcessOutput = { lines: [], parsed: [] };
    this.output = output;
    const child = spawn(process.execPath, [join(this.root, 'dist/main.js')], {
      env: this.environment,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    this.mayEnd = false;
    running.add(this);
    this.exited = new Promise((resolve) => child.once('close', (code, signal) => resolve(code ?? signal ?? 0)));
    void this.exited.then((how) => {
      // Whatever the test makes of it, and whether it notices.
      if (output.url && !this.mayEnd) console.error(`a service ended by itself, with ${how}:\n${this.tail}`);
    });
    const ready = new Promise<void>((resolve) => {
      for (const input of [child.stdout, child.stderr]) {
        createInterface({ input }).on('line', (line) => {
          output.lines.push(line);
          output.metricsPort ??= METRICS.exec(line)?.[1];
          if (!output.url && (output.url = LISTENING.exec(line)?.[1])) resolve();
        });
      }
    });
    const patience = new AbortController();
    const outcome = await Promise.race([
      ready,
      this.exited.then((how) => `ended with ${how}`),
      delay(READY_TIMEOUT_MS, `was not ready within ${READY_TIMEOUT_MS} ms`, { signal: patience.signal }),
    ]);
    patience.abort();
    if (outcome === undefined) return this;
    await this.kill();
    throw new Error(`the service ${outcome}:\n${this.tail}`);
  }

  /** Another instance of the same service: same database, same secrets. */
  replica(overrides: EnvironmentOverrides = {}): Promise<TestService> {
    return new TestService(this.databaseName, { ...this.environment, ...overrides }).start();
  }

  signal(name: NodeJS.Signals): void {
    this.mayEnd = true;
    this.child?.kill(name);
  }

  /** Asks it to end, without waiting. */
  terminate(): void {
    this.signal('SIGTERM');
  }

  /** @returns its exit code, or the signal that ended it */
  waitForExit(): Promise<number | NodeJS.Signals> {
    return this.exited;
  }

  /** Ends it in good order. @returns its exit code */
  async stop(): Promise<number | NodeJS.Signals> {
    this.terminate();
    const timer = setTimeout(() => this.child?.kill('SIGKILL'), STOP_TIMEOUT_MS);
    const how = await this.exited;
    clearTimeout(timer);
    running.delete(this);
    return how;
  }

  /** Ends it as a power cut would. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
    running.delete(this);
  }

  /** Stops it in its tracks; connections stay open. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.child?.kill('SIGCONT');
  }

  /** Has the system refuse what makes a file larger (Linux), as a full disk does; undefined ends that. */
  limitFileSize(bytes?: number): void {
    // The soft limit alone: a user may raise that again.
    execFileSync('prlimit', ['--pid', String(this.child?.pid), `--fsize=${bytes ?? 'unlimited'}:`]);
  }

  /** Stops reading what it writes to standard output, so that the pipe fills up. */
  stallOutput(): void {
    this.child?.stdout?.pause();
  }

  resumeOutput(): void {
    this.child?.stdout?.resume();
  }

  /** Ends it, in good order where it still runs, and starts it again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }
}

function known(address: string | undefined): string {
  if (address === undefined) throw new Error('the service is not running');
  return address;
}

function parseLine(line: string): LogLine | undefined {
  return line.startsWith('{') ? (JSON.parse(line) as LogLine) : undefined;
}

/**
 * A service on its own ports and its own database, ready for requests; it is stopped after the test file. Redis is shared:
 * its keys carry user ids, but for the rate limits of addresses, which are out of reach unless a test lowers them (then
 * with `TRUST_PROXY` and an address of its own).
 */
export async function startService(overrides: EnvironmentOverrides = {}): Promise<TestService> {
  const databaseName = newDatabaseName();
  return await new TestService(databaseName, { ...freshEnvironment(databaseName), ...overrides }).start();
}

/** A database that is dropped after the test file. */
export function newDatabaseName(): string {
  const name = `test_${randomUUID().replaceAll('-', '').slice(0, 16)}`;
  databases.add(name);
  return name;
}

/** The environment that a service on this database would get; for tests that build its parts in their own process. */
export function environmentFor(databaseName: string): EnvironmentOverrides {
  return freshEnvironment(databaseName);
}

/** Runs one of the operator commands of `dist/cli.js` against the service's database. */
export async function runCli(
  { environment }: Pick<TestService, 'environment'>,
  args: string[],
  overrides: EnvironmentOverrides = {},
  root = process.cwd(),
): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(root, 'dist/cli.js'), ...args], {
    env: { ...environment, ...overrides },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output };
}

async function dropDatabases(): Promise<void> {
  if (databases.size === 0) return;
  const client = new MongoClient(given('TEST_MONGODB_URI'));
  try {
    for (const name of databases) {
      await client.db(name).dropDatabase();
      await rm(storagePath(name), { recursive: true, force: true });
    }
  } finally {
    await client.close();
  }
}

// Importing this module is enough: whatever a file started ends with it, even with a worker that is torn down.
process.once('exit', () => running.forEach((service) => void service.kill()));
afterAll(async () => {
  await Promise.all([...running].map((service) => service.stop()));
  await dropDatabases();
}, 60_000);
