import { setTimeout as delay } from 'node:timers/promises';
import postgres from 'postgres';
import { copyTemplate, dropForeignPidFile, majorOf, reachableFolder } from './engine-data.js';
import { binFolder, engineTree, postgresMajor, templateFolder } from './engine-tree.js';
import { ensureTree, type PackageTree } from './package-tree.js';
import { freePort } from './ports.js';
import { type PostgresOptions, startPostgres } from './postgres-server.js';
import type { ManagedProcess, SpawnedProcess } from './process.js';
import { nobodyCanEnter } from './unprivileged.js';

const ATTEMPTS = 20;
const RETRY_MS = 250;

/** Where the engine's data and programs are. */
export interface EngineOptions {
  /** Made on first use. */
  dataDir: string;
  cacheDir: string;
  /** Takes one line at a time. */
  log: (line: string) => void;
  /** False gives up fsync for speed: tests only. Default true. */
  durable?: boolean;
  logFile?: string;
  onSpawn?: (child: SpawnedProcess) => void;
}

/** A running PostgreSQL with DocumentDB. */
export interface Engine {
  /** `postgres://postgres@127.0.0.1:port/postgres`, no password. */
  postgresUrl: string;
  /** Resolves with how, once the server has ended, whoever ended it. */
  exited: Promise<string>;
  lastLines(): string[];
  stop(): Promise<void>;
}

/** The newest engine there is; or, for existing data, the one of its PostgreSQL version. */
async function findTree(
  major: number | undefined,
  cacheDir: string,
  log: (line: string) => void,
): Promise<PackageTree> {
  const newest = await ensureTree(engineTree(), cacheDir, log);
  if (major === undefined || postgresMajor(newest.name) === major) return newest;
  log(`the data are of PostgreSQL ${major}, fetching that one beside ${newest.name}`);
  return ensureTree(engineTree(major), cacheDir, log);
}

/**
 * What may have changed since the data were last served: the port, at which pg_cron reaches the server for the
 * extension's jobs (they build indexes), and the versions of the extensions, which a newer package brings.
 */
async function adoptData(url: string, port: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql`UPDATE cron.job SET nodename = '127.0.0.1', nodeport = ${port} WHERE nodeport <> ${port}`;
    const outdated = await sql<{ name: string }[]>`
      SELECT name FROM pg_available_extensions
      WHERE installed_version <> default_version AND name LIKE 'documentdb%' ORDER BY name`;
    for (const { name } of outdated) await sql`ALTER EXTENSION ${sql(name)} UPDATE`;
  } finally {
    await sql.end();
  }
}

/** The sessions of a server that was killed outlive it by moments, and keep the data to themselves until then. */
async function startWhenFree(options: PostgresOptions): Promise<ManagedProcess> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await startPostgres(options);
    } catch (error) {
      if (attempt === ATTEMPTS || !/shared memory block/.test(String(error))) throw error;
      await delay(RETRY_MS);
    }
  }
}

/**
 * Starts PostgreSQL with DocumentDB on a free port of 127.0.0.1, fetching it first where the cache hasn't got it.
 *
 * @throws Error in one sentence when it can't be fetched, or with the server's last lines when it doesn't start.
 */
export async function startDocumentDbEngine(options: EngineOptions): Promise<Engine> {
  const { cacheDir, log, durable = true, logFile, onSpawn } = options;
  if (!nobodyCanEnter(cacheDir)) {
    throw new Error(`PostgreSQL runs as "nobody", who can't enter ${cacheDir}: set LOCAL_CACHE_DIR to another folder`);
  }
  const dataDir = reachableFolder(options.dataDir, log);
  const major = majorOf(dataDir);
  const tree = await findTree(major, cacheDir, log);
  if (major === undefined) await copyTemplate(templateFolder(tree.folder), dataDir);
  dropForeignPidFile(dataDir);
  const port = await freePort();
  const server = await startWhenFree({
    bin: binFolder(tree.folder),
    dataDir,
    port,
    durable,
    ...(logFile && { logFile }),
    ...(onSpawn && { onSpawn }),
  });
  const postgresUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
  try {
    await adoptData(postgresUrl, port);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { postgresUrl, exited: server.exited, lastLines: () => server.lastLines(), stop: () => server.stop() };
}
