import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import postgres from 'postgres';
import { binFolder, engineTree, postgresMajor, templateFolder } from './engine-tree.js';
import { ensureTree, type PackageTree } from './package-tree.js';
import { freePort } from './ports.js';
import { startPostgres } from './postgres-server.js';
import type { SpawnedProcess } from './process.js';
import { runTool } from './tool.js';
import { nobodyCanEnter } from './unprivileged.js';

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

function majorOf(dataDir: string): number | undefined {
  const file = join(dataDir, 'PG_VERSION');
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
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

/** Copied under another name first, so that an interrupted copy is never taken for data. */
async function copyTemplate(template: string, dataDir: string): Promise<void> {
  const draft = `${dataDir}.unfinished`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(dirname(dataDir), { recursive: true });
  await runTool('cp', ['-a', template, draft]);
  renameSync(draft, dataDir);
}

/** A newer package may bring newer versions of the extensions than the data were made with. */
async function updateExtensions(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    const outdated = await sql<{ name: string }[]>`
      SELECT name FROM pg_available_extensions
      WHERE installed_version <> default_version AND name LIKE 'documentdb%' ORDER BY name`;
    for (const { name } of outdated) await sql`ALTER EXTENSION ${sql(name)} UPDATE`;
  } finally {
    await sql.end();
  }
}

/**
 * Starts PostgreSQL with DocumentDB on a free port of 127.0.0.1, fetching it first where the cache hasn't got it.
 *
 * @throws Error in one sentence when it can't be fetched, or with the server's last lines when it doesn't start.
 */
export async function startDocumentDbEngine(options: EngineOptions): Promise<Engine> {
  const { dataDir, cacheDir, log, durable = true, logFile, onSpawn } = options;
  if (!nobodyCanEnter(cacheDir)) {
    throw new Error(
      `PostgreSQL runs as "nobody" here, who can't enter ${cacheDir}: set LOCAL_CACHE_DIR to another folder`,
    );
  }
  const major = majorOf(dataDir);
  const tree = await findTree(major, cacheDir, log);
  if (major === undefined) await copyTemplate(templateFolder(tree.folder), dataDir);
  const port = await freePort();
  const server = await startPostgres({
    bin: binFolder(tree.folder),
    dataDir,
    port,
    durable,
    ...(logFile && { logFile }),
    ...(onSpawn && { onSpawn }),
  });
  const postgresUrl = `postgres://postgres@127.0.0.1:${port}/postgres`;
  if (major !== undefined) await updateExtensions(postgresUrl);
  return { postgresUrl, exited: server.exited, lastLines: () => server.lastLines(), stop: () => server.stop() };
}
