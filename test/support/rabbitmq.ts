import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../local/paths.js';
import { findNodePorts, startRabbitMqNode } from '../../local/rabbitmq.js';
import type { Server } from '../../local/server.js';

/** A RabbitMQ that a test may do anything to. */
export interface OwnRabbitMq {
  url: string;
  /** As a power cut would: what it has confirmed is there at the next start. */
  kill(): Promise<void>;
  /** Starts it again, at the same address and with the data it had. */
  start(): Promise<void>;
  /** Runs `rabbitmqctl` against it. */
  control(...args: string[]): Promise<void>;
}

/** The program that Debian's command for the system's user wraps. */
const DEBIAN_CONTROL = '/usr/lib/rabbitmq/bin/rabbitmqctl';

const cleanUps: (() => Promise<void>)[] = [];

/**
 * Starts a node that shares nothing with any other; it ends after the test file.
 *
 * @param settings further lines of rabbitmq.conf
 */
export async function startOwnRabbitMq(settings: readonly string[] = []): Promise<OwnRabbitMq> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-rabbitmq-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  const ports = await findNodePorts();
  let pids: number[] = [];
  let server: Server;
  const start = async (): Promise<void> => {
    pids = [];
    const places = { dataDir, logDir, cacheDir: cacheDir(), durable: true, usualPorts: false };
    const onSpawn = ({ pid }: { pid: number }) => void pids.push(pid);
    server = await startRabbitMqNode({ ...places, log: () => undefined, onSpawn }, ports, settings);
  };
  await start();
  cleanUps.push(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });
  return {
    url: server!.url,
    start,
    async control(...args) {
      const env = {
        PATH: process.env['PATH'],
        LANG: 'C.UTF-8',
        HOME: join(dataDir, 'rabbitmq', 'home'), // where the node's cookie is
        ERL_EPMD_PORT: String(ports.epmd),
        RABBITMQ_NODENAME: 'scalable-api@localhost',
      };
      const command = existsSync(DEBIAN_CONTROL) ? DEBIAN_CONTROL : 'rabbitmqctl';
      await promisify(execFile)(command, args, { env });
    },
    async kill() {
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await server.failed;
    },
  };
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);
