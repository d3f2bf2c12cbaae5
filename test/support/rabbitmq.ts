import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
}

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
    async kill() {
      for (const pid of pids) process.kill(pid, 'SIGKILL');
      await server.failed;
    },
  };
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);
