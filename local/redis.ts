import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand } from './commands.js';
import { findLoader } from './loader.js';
import { ensureTree, type PackageTree, type TreeRequest } from './package-tree.js';
import { freePort } from './ports.js';
import { startProcess } from './process.js';
import { foreignServer, type Server, type ServerContext, type Source, startFirst } from './server.js';
import { runTool } from './tool.js';

const USUAL_PORT = 6379;
const SERVER = 'usr/bin/redis-server';

interface Program {
  command: string;
  args: string[];
}

/** Started with the tree's own loader: the system's C library may be older than what Redis was built for. */
function programOf({ folder }: PackageTree | { folder: string }): Program {
  const root = join(folder, 'root');
  const { file, libraries } = findLoader(root);
  const binary = realpathSync(join(root, SERVER));
  return {
    command: join(root, file),
    args: ['--argv0', 'redis-server', '--library-path', join(root, libraries), binary],
  };
}

/** Redis as a tree of Debian's packages; what its maintainer scripts want isn't needed to run it. */
const REDIS_TREE: TreeRequest = {
  id: 'redis',
  title: 'Redis',
  prune: /^(adduser|debconf|passwd|base-passwd|init-system-helpers|openssl-provider.*|libc-(bin|gconv.*)|gcc-.*-base)$/,
  find: async () => 'redis-server',
  async finish(folder) {
    const { command, args } = programOf({ folder });
    await runTool(command, [...args, '--version']);
  },
};

/**
 * Each write is in the append-only file before it is answered: that outlives a kill. The file reaches the disk
 * once a second, which is enough for what Redis is used for here.
 */
function settings(port: number, dataDir: string, durable: boolean): string[] {
  return [
    ...['--bind', '127.0.0.1', '--port', String(port), '--dir', dataDir],
    ...['--appendonly', durable ? 'yes' : 'no', '--appendfsync', 'everysec', '--save', ''],
  ];
}

async function startServer(program: Program, description: string, context: ServerContext): Promise<Server> {
  const dataDir = join(context.dataDir, 'redis');
  mkdirSync(dataDir, { recursive: true });
  const port = await freePort(context.usualPorts ? USUAL_PORT : undefined);
  const server = await startProcess({
    name: 'redis',
    command: program.command,
    args: [...program.args, ...settings(port, dataDir, context.durable)],
    ready: /Ready to accept connections/,
    logFile: join(context.logDir, 'redis.log'),
    onSpawn: context.onSpawn,
  });
  return {
    url: `redis://127.0.0.1:${port}`,
    description: `${description}, on port ${port}`,
    failed: server.exited.then((how) => `Redis ended with ${how}`),
    stop: () => server.stop(),
  };
}

function sources(context: ServerContext): Source[] {
  return [
    {
      name: 'the PATH',
      async start() {
        const command = findCommand('redis-server');
        if (!command) throw new Error('there is no redis-server');
        return startServer({ command, args: [] }, command, context);
      },
    },
    {
      name: "Debian's packages",
      async start() {
        const tree = await ensureTree(REDIS_TREE, context.cacheDir, context.log);
        return startServer(programOf(tree), "Debian's package, unpacked beside the system", context);
      },
    },
  ];
}

/**
 * The Redis of `REDIS_URL`, else the first that can be started.
 *
 * @throws Error that says what to do when there is none.
 */
export async function startRedis(context: ServerContext, env: NodeJS.ProcessEnv): Promise<Server> {
  const given = env['REDIS_URL'];
  if (given) return foreignServer(given, 'REDIS_URL');
  return startFirst('Redis', sources(context), context.log, 'install redis-server or set REDIS_URL.');
}
