import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type CaughtMail, startMailCatcher, USUAL_SMTP_PORT } from './mail-catcher.js';
import { startMongoDb } from './mongodb.js';
import { cacheDir } from './paths.js';
import type { SpawnedProcess } from './process.js';
import { startRedis } from './redis.js';
import type { ServerContext } from './server.js';

/** What a stack is to be like. */
export interface StackOptions {
  /** Holds everything it keeps; made when missing. */
  dataDir: string;
  /** Default: the user's cache folder, or `LOCAL_CACHE_DIR`. */
  cacheDir?: string;
  /** Addresses given here (MONGODB_URI, REDIS_URL) are used instead of servers of our own. Default: none. */
  env?: NodeJS.ProcessEnv;
  /** False gives up outliving the machine for speed. Default true. */
  durable?: boolean;
  /** Ports people know (27017, 6379, 1025) where they are free. Default: random ones. */
  usualPorts?: boolean;
  /** Awaited before the gateway is started. */
  gatewayBuilt?: Promise<void>;
  log?: (line: string) => void;
  onMail?: (mail: CaughtMail) => void;
  onSpawn?: (child: SpawnedProcess) => void;
}

/** MongoDB, Redis and a mail catcher, running. */
export interface Stack {
  /** Without a database's name. */
  mongodbUri: string;
  redisUrl: string;
  smtpUrl: string;
  /** Where each mail becomes an `.eml` file. */
  mailDir: string;
  /** Resolves with a sentence when one of its servers dies unasked. */
  failed: Promise<string>;
  /** Ends what was started, in good order. */
  stop(): Promise<void>;
}

function prepareContext(options: StackOptions): ServerContext {
  const { dataDir, durable = true, usualPorts = false } = options;
  // A server may run as another user and has to be able to walk through; what is secret has modes of its own.
  process.umask(0o022);
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir, { recursive: true });
  return {
    dataDir,
    logDir,
    durable,
    usualPorts,
    cacheDir: options.cacheDir ?? cacheDir(),
    log: options.log ?? (() => undefined),
    onSpawn: options.onSpawn ?? (() => undefined),
  };
}

/**
 * Starts MongoDB, Redis and the mail catcher, all on loopback.
 *
 * @throws Error that says what to do when one of them can't be had; nothing is left running then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const context = prepareContext(options);
  const { env = {}, gatewayBuilt = Promise.resolve(), onMail } = options;
  const mailDir = join(context.dataDir, 'mail');
  const started = await Promise.allSettled([
    startMongoDb(context, env, gatewayBuilt),
    startRedis(context, env),
    startMailCatcher(mailDir, onMail, context.usualPorts ? USUAL_SMTP_PORT : undefined),
  ]);
  const [mongodb, redis, mail] = started;
  const stop = async (): Promise<void> => {
    const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    await Promise.all(running.map((server) => server.stop()));
  };
  if (mongodb.status === 'rejected' || redis.status === 'rejected' || mail.status === 'rejected') {
    await stop();
    throw started.find((result) => result.status === 'rejected')!.reason;
  }
  return {
    mongodbUri: mongodb.value.url,
    redisUrl: redis.value.url,
    smtpUrl: mail.value.url,
    mailDir,
    failed: Promise.race([mongodb.value.failed, redis.value.failed]),
    stop,
  };
}
