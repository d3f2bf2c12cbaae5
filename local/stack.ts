import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { endLeftovers, openRecord } from './leftovers.js';
import { type CaughtMail, type MailCatcher, startMailCatcher, USUAL_SMTP_PORT } from './mail-catcher.js';
import { startMongoDb } from './mongodb.js';
import { cacheDir } from './paths.js';
import { startRedis } from './redis.js';
import type { ServerContext } from './server.js';

/** What a stack is to be like. */
export interface StackOptions {
  /** Holds everything it keeps; made when missing. */
  dataDir: string;
  /** Default: the user's cache folder, or `LOCAL_CACHE_DIR`. */
  cacheDir?: string;
  /** Addresses given here (MONGODB_URI, REDIS_URL, SMTP_URL) are used instead of servers of our own. Default: none. */
  env?: NodeJS.ProcessEnv;
  /** False gives up outliving the machine for speed. Default true. */
  durable?: boolean;
  /** Ports people know (27017, 6379, 1025) where they are free. Default: random ones. */
  usualPorts?: boolean;
  log?: (line: string) => void;
  onMail?: (mail: CaughtMail) => void;
}

/** MongoDB, Redis and a mail catcher, running. */
export interface Stack {
  /** Without a database's name. */
  mongodbUri: string;
  redisUrl: string;
  smtpUrl: string;
  /** Where each mail becomes an `.eml` file; unused when SMTP_URL was given. */
  mailDir: string;
  /** For what else is started beside it: it is ended by the next start too, should this process be killed. */
  context: ServerContext;
  /** Resolves with a sentence when one of its servers dies unasked. */
  failed: Promise<string>;
  /** Ends what was started, in good order. */
  stop(): Promise<void>;
}

function prepareFolders(dataDir: string): string {
  // A server may run as another user and has to be able to walk through; what is secret has modes of its own.
  process.umask(0o022);
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  return logDir;
}

/**
 * Starts MongoDB, Redis and the mail catcher, all on loopback. Servers that a killed run left on the same data are
 * ended first.
 *
 * @throws Error that says what to do when one of them can't be had; nothing is left running then.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dataDir, env = {}, log = () => undefined } = options;
  const logDir = prepareFolders(dataDir);
  const recordFile = join(dataDir, 'servers.json');
  const leftovers = await endLeftovers(recordFile);
  if (leftovers.length > 0) log(`ended what an earlier start had left running: ${leftovers.join(', ')}`);
  const record = openRecord(recordFile);
  const context: ServerContext = {
    dataDir,
    logDir,
    cacheDir: options.cacheDir ?? cacheDir(),
    durable: options.durable ?? true,
    usualPorts: options.usualPorts ?? false,
    log,
    onSpawn: (child) => record.add(child),
  };
  const mailDir = join(dataDir, 'mail');
  const started = await Promise.allSettled([
    startMongoDb(context, env),
    startRedis(context, env),
    startMail(mailDir, options),
  ]);
  const stop = async (): Promise<void> => {
    const running = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    await Promise.all(running.map((server) => server.stop()));
    record.clear();
  };
  const [mongodb, redis, mail] = started;
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
    context,
    stop,
  };
}

async function startMail(mailDir: string, { env, onMail, usualPorts }: StackOptions): Promise<MailCatcher> {
  const given = env?.['SMTP_URL'];
  if (given) return { url: given, stop: async () => undefined };
  return startMailCatcher(mailDir, onMail, usualPorts ? USUAL_SMTP_PORT : undefined);
}
