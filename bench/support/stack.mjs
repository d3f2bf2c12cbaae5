import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { cacheDir } from '../../local/dist/paths.js';
import { startRedis } from '../../local/dist/redis.js';
import { startStack } from '../../local/dist/stack.js';

const LISTENING = /"msg":"listening on (http:\/\/[^"]+)"/;
const METRICS = /"msg":"metrics on port (\d+)"/;

/** MongoDB, and a Redis that can be killed, for one run; everything is gone afterwards. */
export async function startServers() {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-bench-'));
  const logDir = join(dataDir, 'redis-logs');
  mkdirSync(logDir);
  const pids = [];
  const redis = await startRedis(
    {
      ...{ dataDir: join(dataDir), logDir, cacheDir: cacheDir(), durable: false, usualPorts: false },
      log: () => undefined,
      onSpawn: ({ pid }) => pids.push(pid),
    },
    {},
  );
  const stack = await startStack({ dataDir: join(dataDir, 'stack'), durable: false, env: { REDIS_URL: redis.url } });
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const uri = new URL(stack.mongodbUri);
  uri.pathname = '/bench';
  return {
    mongodbUri: uri.href,
    privateKey,
    environment: {
      ...process.env,
      NODE_ENV: 'test',
      HOST: '127.0.0.1',
      PORT: '0',
      METRICS_PORT: '0',
      PUBLIC_URL: 'http://127.0.0.1:5000',
      MONGODB_URI: uri.href,
      REDIS_URL: redis.url,
      STORAGE_PATH: join(dataDir, 'files'),
      SMTP_URL: stack.smtpUrl,
      MAIL_FROM: 'bench@example.org',
      APP_SECRETS: randomBytes(48).toString('base64'),
      JWT_PRIVATE_KEYS: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
      THROTTLE_GENERAL_LIMIT: '1000000000',
      MAX_EVENT_LOOP_LAG_MS: '60000',
      SHUTDOWN_DRAIN_SECONDS: '0',
      LOG_LEVEL: 'info',
    },
    killRedis: () => pids.forEach((pid) => process.kill(pid, 'SIGKILL')),
    async stop() {
      await redis.stop();
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The built service as a process. */
export async function startService(environment) {
  const started = await startProcess(['dist/main.js'], environment);
  const metricsUrl = `http://127.0.0.1:${METRICS.exec(started.output())[1]}/metrics`;
  return { ...started, metrics: async () => (await fetch(metricsUrl)).text() };
}

/**
 * A Node process that logs where it listens. Its log goes to a file: to read it would cost the load's process time.
 *
 * @param args of node
 */
export async function startProcess(args, environment) {
  const log = join(mkdtempSync(join(tmpdir(), 'scalable-api-bench-log-')), 'process.log');
  const child = spawn(process.execPath, args, { env: environment, stdio: ['ignore', openSync(log, 'a'), 2] });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const output = () => readFileSync(log, 'utf8');
  while (!LISTENING.test(output())) {
    const ended = await Promise.race([exited.then((code) => ({ code })), delay(100)]);
    if (ended) throw new Error(`${args} ended with ${ended.code}:\n${output().slice(-2000)}`);
  }
  return {
    pid: child.pid,
    url: new URL(LISTENING.exec(output())[1]),
    output,
    async stop() {
      child.kill('SIGTERM');
      await exited;
      rmSync(dirname(log), { recursive: true });
    },
  };
}
