import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PROJECT_ROOT } from './paths.js';
import { isNoise, prettyLine } from './pretty-log.js';
import { type ManagedProcess, type SpawnedProcess, startProcess } from './process.js';
import { showLog } from './screen.js';

const POLL_MS = 50;
const READY_BOUND_MS = 60_000;

/** How a process of the service is run. */
export interface ServiceOptions {
  name: string;
  /** Stands before each line of its log on the screen. */
  label: string;
  env: NodeJS.ProcessEnv;
  port: number;
  logFile: string;
  onSpawn: (child: SpawnedProcess) => void;
}

function answersOk(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { timeout: 1000, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}

/** Waits until the service says that it is ready, ends, or has had its time. */
async function whenReady(url: string, service: ManagedProcess): Promise<void> {
  let ended: string | undefined;
  void service.exited.then((how) => (ended = how));
  for (const end = Date.now() + READY_BOUND_MS; Date.now() < end; await delay(POLL_MS)) {
    if (ended) throw new Error(`The ${service.name} ended with ${ended} before it was ready.`);
    if (await answersOk(url)) return;
  }
  await service.stop();
  throw new Error(`The ${service.name} isn't ready after ${READY_BOUND_MS / 1000} s.`);
}

/**
 * Starts `node dist/main.js` and waits until it is ready. Its log is shown, for people on a terminal, as it is
 * elsewhere.
 *
 * @throws Error when it ends before it is ready, or takes more than a minute.
 */
export async function startService(options: ServiceOptions): Promise<ManagedProcess> {
  const { name, label, env, port, logFile, onSpawn } = options;
  const terminal = process.stdout.isTTY;
  const service = await startProcess({
    name,
    command: process.execPath,
    args: [join(PROJECT_ROOT, 'dist/main.js')],
    cwd: PROJECT_ROOT,
    env,
    logFile,
    onSpawn,
    onLine(line) {
      if (!terminal) showLog(`${label}${line}`);
      else if (!isNoise(line)) showLog(`${label}${prettyLine(line, true)}`);
    },
  });
  await whenReady(`http://127.0.0.1:${port}/health/ready`, service);
  return service;
}
