import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from './commands.js';
import { freePort } from './ports.js';
import { startProcess } from './process.js';
import { foreignServer, type Server, type ServerContext, startFirst } from './server.js';

const USUAL_PORT = 5672;
/** Debian's command on the PATH insists on the system's user and folders; this is what it wraps. */
const DEBIAN_SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server';
/** The default of 512 MB is meant for more than one machine's worth of tasks. */
const WRITE_AHEAD_LOG_BYTES = 64_000_000;

/** The server's program, as it can be run by anybody. */
export function findRabbitMq(): string | undefined {
  return existsSync(DEBIAN_SERVER) ? DEBIAN_SERVER : findCommand('rabbitmq-server');
}

/** The ports of a node: clients, other nodes, and the daemon by which nodes find each other. */
export interface NodePorts {
  amqp: number;
  distribution: number;
  epmd: number;
}

/** A node that shares nothing with another one on the machine: neither ports, nor data, nor the nodes' cookie. */
function environmentOf(
  dataDir: string,
  { amqp, distribution, epmd }: NodePorts,
  settings: readonly string[],
): NodeJS.ProcessEnv {
  const folder = (name: string): string => {
    mkdirSync(join(dataDir, name), { recursive: true });
    return join(dataDir, name);
  };
  writeFileSync(join(dataDir, 'enabled_plugins'), '[].\n');
  const lines = [`raft.wal_max_size_bytes = ${WRITE_AHEAD_LOG_BYTES}`, ...settings];
  writeFileSync(join(dataDir, 'rabbitmq.conf'), `${lines.join('\n')}\n`);
  return {
    PATH: process.env['PATH'],
    LANG: 'C.UTF-8',
    HOME: folder('home'),
    ERL_EPMD_PORT: String(epmd),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: 'scalable-api@localhost',
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(amqp),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: folder('data'),
    RABBITMQ_LOG_BASE: folder('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_CONFIG_FILE: join(dataDir, 'rabbitmq'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(dataDir, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(dataDir, 'pid'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-kernel inet_dist_use_interface {127,0,0,1}',
    // Has the script become the server, so that a signal reaches it.
    RUNNING_UNDER_SYSTEMD: '1',
  };
}

/** Ports for a node; it comes back at the same ones when it is started with them again. */
export async function findNodePorts(preferred?: number): Promise<NodePorts> {
  return { amqp: await freePort(preferred), distribution: await freePort(), epmd: await freePort() };
}

/**
 * Starts a node on the data there are, with a daemon of its own: else it would start one that outlives it.
 *
 * @param settings further lines of rabbitmq.conf
 * @throws Error in one sentence when there is no RabbitMQ on this machine, or with its last lines when it doesn't start.
 */
export async function startRabbitMqNode(
  context: ServerContext,
  ports: NodePorts,
  settings: readonly string[] = [],
): Promise<Server> {
  const command = findRabbitMq();
  if (!command) throw new Error('there is no rabbitmq-server');
  const dataDir = join(context.dataDir, 'rabbitmq');
  mkdirSync(dataDir, { recursive: true });
  const common = { env: environmentOf(dataDir, ports, settings), cwd: dataDir, onSpawn: context.onSpawn };
  const daemonArgs = ['-port', String(ports.epmd), '-address', '127.0.0.1'];
  const daemon = await startProcess({ ...common, name: 'epmd', command: 'epmd', args: daemonArgs });
  try {
    const logFile = join(context.logDir, 'rabbitmq.log');
    const ready = /Server startup complete/;
    const node = await startProcess({ ...common, name: 'rabbitmq', command, args: [], ready, logFile });
    return {
      url: `amqp://guest:guest@127.0.0.1:${ports.amqp}`,
      description: `${command}, on port ${ports.amqp}`,
      failed: node.exited.then((how) => `RabbitMQ ended with ${how}`),
      async stop() {
        await node.stop();
        await daemon.stop();
      },
    };
  } catch (error) {
    await daemon.stop();
    throw error;
  }
}

async function startServer(context: ServerContext): Promise<Server> {
  return await startRabbitMqNode(context, await findNodePorts(context.usualPorts ? USUAL_PORT : undefined));
}

/**
 * The RabbitMQ of `RABBITMQ_URL`, else the one on this machine as a node of its own.
 *
 * @throws Error that says what to do when there is none.
 */
export async function startRabbitMq(context: ServerContext, env: NodeJS.ProcessEnv): Promise<Server> {
  const given = env['RABBITMQ_URL'];
  if (given) return foreignServer(given, 'RABBITMQ_URL');
  const sources = [{ name: 'the PATH', start: () => startServer(context) }];
  return startFirst('RabbitMQ', sources, context.log, 'apt install rabbitmq-server first, or set RABBITMQ_URL.');
}
