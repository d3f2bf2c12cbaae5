import { spawn } from 'node:child_process';
import { chmodSync, cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../local/dist/ports.js';

/** The shipped configuration before one service, without TLS; one address may send as much as it can. */
export async function startNginx(service) {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'scalable-api-bench-nginx-'));
  chmodSync(folder, 0o755); // started by root, nginx lets another user do the work
  cpSync('docker/nginx', folder, { recursive: true });
  const choices = { upstreams: 'least-conn', routes: 'one-service', listen: 'http', 'client-address': 'direct' };
  for (const [name, choice] of Object.entries(choices))
    symlinkSync(`${choice}.conf`, join(folder, name, 'active.conf'));
  for (const name of readdirSync(folder, { recursive: true }).filter((name) => name.endsWith('.conf'))) {
    const conf = readFileSync(join(folder, name), 'utf8')
      .replaceAll('/tmp/', `${folder}/`)
      .replace('/dev/stdout', `${folder}/access.log`)
      .replace('listen 8080;', `listen 127.0.0.1:${port};`)
      .replace(/server api-[23]:5000.*\n/g, '')
      .replace('api-1:5000', service.host)
      .replace('rate=50r/s', 'rate=1000000r/s')
      .replace('burst=100', 'burst=100000')
      .replace('limit_conn connections 100;', '');
    rmSync(join(folder, name));
    writeFileSync(join(folder, name), conf);
  }
  const args = ['-e', 'stderr', '-p', folder, '-c', join(folder, 'nginx.conf'), '-g', 'daemon off;'];
  const nginx = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const exited = new Promise((resolve) => nginx.once('error', resolve).once('exit', resolve));
  const url = new URL(`http://127.0.0.1:${port}`);
  while (!(await fetch(new URL('/health/live', url)).catch(() => null))) {
    if (nginx.pid === undefined || nginx.exitCode !== null) throw new Error('nginx did not start');
    await delay(50);
  }
  return {
    url,
    async stop() {
      nginx.kill('SIGTERM');
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
