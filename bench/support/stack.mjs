import { spawn } from 'node:child_process';
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
  const child = spawn(process.execPath, ['dist/main.js'], { env: environment, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  await new Promise((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}:\n${output.slice(-2000)}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      if (output.length < 100_000) output += text;
      if (LISTENING.test(output)) resolve();
    });
  });
  const metricsUrl = `http://127.0.0.1:${METRICS.exec(output)[1]}/metrics`;
  return {
    url: new URL(LISTENING.exec(output)[1]),
    metrics: async () => (await fetch(metricsUrl)).text(),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners('exit').once('exit', resolve);
        child.kill('SIGTERM');
      }),
  };
}
