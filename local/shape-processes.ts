import { execFile } from 'node:child_process';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { givenValue } from './environment.js';
import { withDatabase } from './mongodb.js';
import { startGateway } from './nginx.js';
import { PROJECT_ROOT } from './paths.js';
import { freePort } from './ports.js';
import { startRabbitMq } from './rabbitmq.js';
import { startService } from './service.js';
import { type Shape, type ShapePlan, SHAPES } from './shapes.js';
import type { Stack } from './stack.js';

const CLI = join(PROJECT_ROOT, 'dist/cli.js');
const USUAL_METRICS_PORT = 9464;
const PRIVATE_KEYS = /-----BEGIN [A-Z ]+-----[\s\S]+?-----END [A-Z ]+-----/g;

/** What is started on a stack. */
export interface ShapeOptions {
  shape: Shape;
  stack: Stack;
  /** Where clients reach it: the gateway's, or the only process's. */
  port: number;
  /** Every process's environment, but for what differs between them. */
  env: NodeJS.ProcessEnv;
  /** Begins the names of the modules' databases. */
  database: string;
}

/**
 * The keys derived from `APP_SECRETS` that a process of a split service needs, in place of the secrets themselves.
 *
 * @throws Error where they can't be derived, such as from unusable secrets
 */
async function derivedKeysFor(modules: string, env: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const args = [CLI, 'keys', 'derive', 'app-secret', '--for', modules];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: PROJECT_ROOT, env });
    return { APP_SECRETS: '', APP_SECRETS_FILE: '', APP_KEYS: stdout.trim(), APP_KEYS_FILE: '' };
  } catch (error) {
    const { stderr } = error as { stderr?: string };
    throw new Error(`The keys of ${modules} can't be derived from APP_SECRETS: ${stderr?.trim() ?? ''}`, {
      cause: error,
    });
  }
}

/** Only processes that serve auth sign access tokens: the others get the public keys alone. */
function signingKeysFor(modules: string | undefined, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const pems = givenValue(env, 'JWT_PRIVATE_KEYS')?.replaceAll('\\n', '\n').match(PRIVATE_KEYS);
  if (modules === undefined || modules === 'auth' || !pems) return {};
  const publicPems = pems.map((pem) => createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' }));
  return { JWT_PRIVATE_KEYS: '', JWT_PRIVATE_KEYS_FILE: '', JWT_PUBLIC_KEYS: publicPems.join('') };
}

/** One process of a running shape. */
export interface RunningProcess {
  name: string;
  env: NodeJS.ProcessEnv;
  metricsUrl: string;
}

/** A shape whose processes are ready. */
export interface RunningShape {
  processes: RunningProcess[];
  /** Resolves with a sentence when one of its processes ends unasked. */
  failed: Promise<string>;
}

/**
 * Starts the service in a shape on a running stack: RabbitMQ where it has several modules' processes, they themselves, and
 * the gateway where there are several. `shutDownProcesses` ends them.
 *
 * @throws Error that says what is missing, or what doesn't start
 */
export async function startShape({ shape, stack, port, env, database }: ShapeOptions): Promise<RunningShape> {
  const { processes: planned, gateway }: ShapePlan = SHAPES[shape];
  const isSplit = planned.some(({ modules }) => modules !== undefined);
  const broker = isSplit ? await startRabbitMq(stack.context, env) : undefined;
  const failures = broker ? [broker.failed] : [];
  const running: RunningProcess[] = [];
  const ports: number[] = [];
  // One after the other: together they would keep a small machine from starting any of them in time.
  for (const { name, modules } of planned) {
    const metricsPort = gateway ? await freePort(USUAL_METRICS_PORT) : Number(env['METRICS_PORT']);
    const ownPort = gateway ? await freePort() : port;
    const own = {
      ...env,
      ...{ PORT: String(ownPort), METRICS_PORT: String(metricsPort) },
      ...(gateway && { TRUST_PROXY: '1' }),
      ...(broker && { MODULES: modules, EVENT_BUS: 'rabbitmq', RABBITMQ_URL: broker.url }),
      ...signingKeysFor(modules, env),
      ...(modules !== undefined && (await derivedKeysFor(modules, env))),
      ...(broker && { MONGODB_URI: withDatabase(stack.mongodbUri, `${database}_${name}`) }),
    };
    const { exited } = await startService({
      name,
      label: gateway ? `${name} | ` : '',
      env: own,
      port: ownPort,
      logFile: join(stack.context.logDir, `${name}.log`),
      onSpawn: stack.context.onSpawn,
    });
    failures.push(exited.then((how) => `${name} ended with ${how}`));
    running.push({ name, env: own, metricsUrl: `http://localhost:${metricsPort}/metrics` });
    ports.push(ownPort);
  }
  if (gateway) {
    const { failed } = await startGateway(stack.context, { ...gateway, ports, changes: [] }, port);
    failures.push(failed);
  }
  return { processes: running, failed: Promise.race(failures) };
}
