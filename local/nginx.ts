import { mkdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findCommand } from './commands.js';
import { layOutNginx, type NginxLayout } from './nginx-layout.js';
import { startProcess } from './process.js';
import type { Server, ServerContext } from './server.js';

const READY_BOUND_MS = 10_000;
const POLL_MS = 20;

/** In a folder that isn't on everybody's PATH. */
export function findNginx(): string | undefined {
  return findCommand('nginx', `${process.env['PATH']}:/usr/sbin`);
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Starts nginx in front of a shape's processes, with the configuration that is shipped for deployments: on the loopback, and
 * without TLS.
 *
 * @param layout what of that configuration, and what else is changed in it
 * @throws Error in one sentence where there is no nginx, or with its last lines when it doesn't start.
 */
export async function startGateway(
  context: ServerContext,
  layout: Omit<NginxLayout, 'listen'>,
  port: number,
): Promise<Server> {
  const command = findNginx();
  if (!command) throw new Error('There is no nginx on this machine: apt install nginx first.');
  const folder = join(context.dataDir, 'nginx');
  mkdirSync(folder, { recursive: true });
  const here: NginxLayout['changes'] = [
    ['listen 8080;', `listen 127.0.0.1:${port};`],
    ['/dev/stdout', join(context.logDir, 'nginx-access.log')],
  ];
  layOutNginx(folder, { ...layout, listen: 'http', changes: [...here, ...layout.changes] });
  // Started by root, its workers would be somebody who may not enter this folder.
  const user = process.getuid?.() === 0 ? 'user root; ' : '';
  const nginx = await startProcess({
    name: 'nginx',
    command,
    args: ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', `${user}daemon off;`],
    logFile: join(context.logDir, 'nginx.log'),
    onSpawn: context.onSpawn,
  });
  for (const end = Date.now() + READY_BOUND_MS; !(await accepts(port)); await delay(POLL_MS)) {
    if (Date.now() < end) continue;
    await nginx.stop();
    throw new Error(["nginx didn't start.", ...nginx.lastLines()].join('\n  '));
  }
  return {
    url: `http://127.0.0.1:${port}`,
    description: `${command}, on port ${port}`,
    failed: nginx.exited.then((how) => `nginx ended with ${how}`),
    stop: () => nginx.stop(),
  };
}
