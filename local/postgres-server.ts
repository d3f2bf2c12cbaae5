import { join } from 'node:path';
import { type ManagedProcess, type SpawnedProcess, startProcess } from './process.js';
import { serverUser } from './unprivileged.js';

/** A data folder and how to serve it. */
export interface PostgresOptions {
  /** The folder with the program `postgres`. */
  bin: string;
  dataDir: string;
  port: number;
  /** False leaves out fsync: for data that may vanish with the machine. */
  durable: boolean;
  logFile?: string;
  onSpawn?: (child: SpawnedProcess) => void;
}

/**
 * `extended_rum` has to be the access method before any index is made: only its indexes can serve a sort.
 * The planner needs statistics for that, and autovacuum's defaults wait too long after a bulk load.
 */
function settings({ port, durable }: PostgresOptions): Record<string, string | number> {
  const onOff = durable ? 'on' : 'off';
  return {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 400,
    shared_preload_libraries: 'pg_cron,pg_documentdb_core,pg_documentdb,pg_documentdb_extended_rum',
    'documentdb.alternate_index_handler_name': 'extended_rum',
    'cron.database_name': 'postgres',
    'cron.log_run': 'off',
    'cron.log_statement': 'off',
    log_min_error_statement: 'panic',
    fsync: onOff,
    synchronous_commit: onOff,
    full_page_writes: onOff,
    timezone: 'UTC',
    log_timezone: 'UTC',
    autovacuum_naptime: '5s',
    autovacuum_analyze_threshold: 50,
    autovacuum_analyze_scale_factor: 0.02,
    autovacuum_vacuum_scale_factor: 0.05,
  };
}

/**
 * Starts PostgreSQL on loopback.
 *
 * @throws Error with the server's last lines when it doesn't come up.
 */
export function startPostgres(options: PostgresOptions): Promise<ManagedProcess> {
  const { bin, dataDir, logFile, onSpawn } = options;
  const set = Object.entries(settings(options)).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
  return startProcess({
    name: 'postgres',
    command: join(bin, 'postgres'),
    args: ['-D', dataDir, ...set],
    env: { PATH: process.env['PATH'], LC_ALL: 'C' },
    cwd: '/',
    user: serverUser(),
    ready: /database system is ready to accept connections/,
    // "Fast": ends open sessions; the default of SIGTERM would wait for them.
    stopSignal: 'SIGINT',
    ...(logFile && { logFile }),
    ...(onSpawn && { onSpawn }),
  });
}
