import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from './commands.js';
import { startDocumentDbEngine } from './documentdb-engine.js';
import { fetchMongod } from './mongod-binary.js';
import { PROJECT_ROOT } from './paths.js';
import { freePort } from './ports.js';
import { startProcess } from './process.js';
import { REPLICA_SET, startReplicaSet } from './replica-set.js';
import { foreignServer, type Server, type ServerContext, type Source, startFirst } from './server.js';

const USUAL_PORT = 27_017;
const GATEWAY = join(PROJECT_ROOT, 'local/gateway/dist/main.js');

/** The two kinds of data folder a stack can have; what was written with one can't be read by the other. */
export type DataKind = 'mongod' | 'documentdb';

/** A source and the kind of data it works on. */
export interface MongoSource extends Source {
  kind: DataKind;
}

async function startMongod(binary: string, context: ServerContext): Promise<Server> {
  const dbPath = join(context.dataDir, 'mongod');
  mkdirSync(dbPath, { recursive: true });
  const port = await freePort(context.usualPorts ? USUAL_PORT : undefined);
  const server = await startProcess({
    name: 'mongod',
    command: binary,
    args: ['--dbpath', dbPath, '--port', String(port), '--bind_ip', '127.0.0.1', '--replSet', REPLICA_SET],
    ready: /Waiting for connections/,
    logFile: join(context.logDir, 'mongod.log'),
    onSpawn: context.onSpawn,
  });
  try {
    await startReplicaSet(port);
  } catch (error) {
    await server.stop();
    throw error;
  }
  return {
    url: `mongodb://127.0.0.1:${port}/?replicaSet=${REPLICA_SET}&directConnection=true`,
    description: `${binary}, a replica set of one on port ${port}`,
    failed: server.exited.then((how) => `mongod ended with ${how}`),
    stop: () => server.stop(),
  };
}

async function startDocumentDb(context: ServerContext): Promise<Server> {
  const engine = await startDocumentDbEngine({
    ...context,
    dataDir: join(context.dataDir, 'documentdb'),
    logFile: join(context.logDir, 'postgres.log'),
  });
  try {
    const port = await freePort(context.usualPorts ? USUAL_PORT : undefined);
    const gateway = await startProcess({
      name: 'gateway',
      command: process.execPath,
      args: [GATEWAY, '--postgres', engine.postgresUrl, '--port', String(port)],
      ready: /listening on /,
      logFile: join(context.logDir, 'gateway.log'),
      onSpawn: context.onSpawn,
    });
    return {
      url: `mongodb://127.0.0.1:${port}/`,
      description: `DocumentDB from Debian's packages, with its gateway on port ${port}`,
      failed: Promise.race([
        gateway.exited.then((how) => `the gateway ended with ${how}`),
        engine.exited.then((how) => `PostgreSQL ended with ${how}`),
      ]),
      async stop() {
        await gateway.stop();
        await engine.stop();
      },
    };
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

function allSources(context: ServerContext): MongoSource[] {
  return [
    {
      name: 'the PATH',
      kind: 'mongod',
      async start() {
        const command = findCommand('mongod');
        if (!command) throw new Error('there is no mongod');
        return startMongod(command, context);
      },
    },
    {
      name: 'mongodb-memory-server',
      kind: 'mongod',
      start: async () => startMongod(await fetchMongod(context.cacheDir, context.log), context),
    },
    {
      name: "Debian's packages",
      kind: 'documentdb',
      start: () => startDocumentDb(context),
    },
  ];
}

/** Which kind of data `dataDir` holds; undefined when it holds none yet. */
export function existingKind(dataDir: string): DataKind | undefined {
  if (existsSync(join(dataDir, 'documentdb', 'PG_VERSION'))) return 'documentdb';
  const dbPath = join(dataDir, 'mongod');
  return existsSync(dbPath) && readdirSync(dbPath).length > 0 ? 'mongod' : undefined;
}

/** The sources that can go on with the data there are: a change of source would seem to have lost them. */
export function usableSources<S extends { kind: DataKind }>(sources: S[], kind: DataKind | undefined): S[] {
  return kind === undefined ? sources : sources.filter((source) => source.kind === kind);
}

/** Puts a database's name into a connection string that has none. */
export function withDatabase(uri: string, database: string): string {
  const url = new URL(uri);
  url.pathname = `/${database}`;
  return url.href;
}

/**
 * The MongoDB of `MONGODB_URI`, else the first that can be started, in order: mongod on the PATH, one that
 * mongodb-memory-server has or can fetch, DocumentDB. Its `url` names no database.
 *
 * @throws Error that says what to do when there is none.
 */
export async function startMongoDb(context: ServerContext, env: NodeJS.ProcessEnv): Promise<Server> {
  const given = env['MONGODB_URI'];
  if (given) return foreignServer(given, 'MONGODB_URI');
  const kind = existingKind(context.dataDir);
  const remedy = kind
    ? `the data in ${context.dataDir} need the ${kind} they were written with, and are unchanged. The reason is above; ` +
      'copy that folder before you repair or remove anything in it.'
    : 'install MongoDB or set MONGODB_URI.';
  const sources = usableSources(allSources(context), kind);
  return startFirst('MongoDB', sources, context.log, remedy);
}
