import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findCommand } from './commands.js';
import { startProcess } from './process.js';
import type { Server, ServerContext } from './server.js';

const READY_BOUND_MS = 10_000;
const POLL_MS = 20;

/** Where requests go: the ports of each upstream's processes, and the upstream of each path. */
export interface Gateway {
  upstreams: Record<string, number[]>;
  /** nginx's `location` -> upstream, or a variable that names one. */
  locations: Record<string, string>;
}

/** Equal instances: any of them serves any path. */
export function balance(ports: number[]): Gateway {
  return { upstreams: { api: ports }, locations: { '/': 'api' } };
}

/**
 * A process for each module, by the paths that are the module's own. Whoever deletes an account proves it with the
 * password, and that is auth's.
 */
export function routeByModule(ports: Record<string, number>): Gateway {
  return {
    upstreams: Object.fromEntries(Object.entries(ports).map(([module, port]) => [module, [port]])),
    locations: {
      '/': 'auth',
      '= /api/v1/users/me': '$own_account',
      '~ ^/api/v1/users(/|$)': 'users',
      '~ ^/api/v1/tasks(/|$)': 'tasks',
      '~ ^/api/v1/notifications(/|$)': 'notifications',
      '~ ^/unsubscribe(/|$)': 'notifications',
      '= /ws': 'notifications',
    },
  };
}

function render(gateway: Gateway, port: number): string {
  const upstreams = Object.entries(gateway.upstreams).map(([name, ports]) => {
    const servers = ports.map((each) => `server 127.0.0.1:${each};`).join(' ');
    return `upstream ${name} { least_conn; ${servers} keepalive 32; }`;
  });
  const locations = Object.entries(gateway.locations).map(
    ([location, upstream]) => `location ${location} { proxy_pass http://${upstream}; }`,
  );
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${name};`);
  return `
${process.getuid?.() === 0 ? 'user root;' : ''}
daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr warn;
events { worker_connections 4096; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  client_max_body_size 30m;
  map $http_upgrade $connection_header { default ""; "~*^websocket$" upgrade; }
  map $request_method $own_account { default users; DELETE auth; }
  ${upstreams.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    proxy_http_version 1.1;
    proxy_set_header Host $http_host;
    proxy_set_header Upgrade $http_upgrade;
    proxy_set_header Connection $connection_header;
    proxy_set_header X-Forwarded-For $remote_addr;
    proxy_set_header X-Forwarded-Proto $scheme;
    proxy_set_header X-Forwarded-Host $http_host;
    proxy_read_timeout 1h;
    ${locations.join('\n    ')}
  }
}
`;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/**
 * Starts nginx before the processes of a shape.
 *
 * @throws Error in one sentence where there is no nginx, or with its last lines when it doesn't start.
 */
export async function startGateway(context: ServerContext, gateway: Gateway, port: number): Promise<Server> {
  const command = findCommand('nginx', `${process.env['PATH']}:/usr/sbin`);
  if (!command) throw new Error('There is no nginx on this machine: install it, or start the service as one process.');
  const folder = join(context.dataDir, 'nginx');
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'nginx.conf');
  writeFileSync(file, render(gateway, port));
  const nginx = await startProcess({
    name: 'nginx',
    command,
    args: ['-e', 'stderr', '-p', folder, '-c', file],
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
