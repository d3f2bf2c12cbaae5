import { createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDatabase } from '../../local/mongodb.js';
import { startGateway } from '../../local/nginx.js';
import type { NginxLayout } from '../../local/nginx-layout.js';
import { cacheDir } from '../../local/paths.js';
import { freePort } from '../../local/ports.js';
import { type Shape, type ShapePlan, SHAPES } from '../../local/shapes.js';
import { KEY_KINDS } from '../../src/cli/keys/key-kinds.js';
import { databaseUri, type EnvironmentOverrides, environmentFor, newDatabaseName, TestService } from './service.js';

/** The service in one of its shapes: what clients and operators see of it, and its processes. */
export interface RunningShape {
  /** Where clients reach it. */
  url: string;
  /** The environment that an operator's command for accounts gets. */
  environment: EnvironmentOverrides;
  processes: TestService[];
}

/** Here one address is everybody. */
const WITHOUT_LIMITS: NginxLayout['changes'] = [
  ['rate=50r/s', 'rate=100000r/s'],
  ['burst=100 nodelay', 'burst=10000 nodelay'],
  ['limit_conn connections 100', 'limit_conn connections 10000'],
];

const cleanUps: (() => Promise<void>)[] = [];

/**
 * @param overrides of every process's environment; a split service needs `RABBITMQ_URL`
 * @param mongodbUrl of another server than the tests' common one
 */
export async function startShape(
  shape: Shape,
  overrides: EnvironmentOverrides = {},
  mongodbUrl?: string,
): Promise<RunningShape> {
  const { processes: planned, gateway }: ShapePlan = SHAPES[shape];
  const ports = await Promise.all(planned.map(() => freePort()));
  const [gatewayPort, database] = [await freePort(), newDatabaseName()];
  const url = `http://127.0.0.1:${gateway ? gatewayPort : ports[0]}`;
  // Secrets are everybody's; addresses of a limit's clients come from the gateway.
  const common = { ...environmentFor(database), PUBLIC_URL: url, ...overrides };
  const processes = planned.map(({ modules }, index) => {
    const own = modules ? newDatabaseName() : database;
    const split = modules && { MODULES: modules, EVENT_BUS: 'rabbitmq', ...keysFor(modules, common) };
    const uri = mongodbUrl === undefined ? databaseUri(own) : withDatabase(mongodbUrl, own);
    const places = { MONGODB_URI: uri, PORT: String(ports[index]) };
    const proxy = gateway && { TRUST_PROXY: '1' };
    return new TestService(own, { ...common, ...places, ...split, ...proxy });
  });
  if (gateway) await startGatewayFor({ ...gateway, ports, changes: WITHOUT_LIMITS }, gatewayPort);
  // One after the other: together they would keep a small machine from starting any of them in time.
  for (const each of processes) await each.start();
  return { url, environment: (processes[0] as TestService).environment, processes };
}

/** Only auth signs: the others get the public key alone. Each gets the derived keys that it needs, not the secret. */
function keysFor(
  modules: string,
  { JWT_PRIVATE_KEYS: pem = '', APP_SECRETS: secret = '' }: EnvironmentOverrides,
): EnvironmentOverrides {
  const derived = {
    APP_SECRETS: undefined,
    APP_KEYS: KEY_KINDS['app-secret']?.derive?.(secret, modules.split(',')).join(),
  };
  if (modules.split(',').includes('auth')) return derived;
  const publicKey = createPublicKey(createPrivateKey(pem)).export({ type: 'spki', format: 'pem' });
  return { ...derived, JWT_PRIVATE_KEYS: undefined, JWT_PUBLIC_KEYS: String(publicKey) };
}

async function startGatewayFor(layout: Omit<NginxLayout, 'listen'>, port: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-gateway-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  const places = { dataDir, logDir, cacheDir: cacheDir(), durable: false, usualPorts: false };
  const server = await startGateway({ ...places, log: () => undefined, onSpawn: () => undefined }, layout, port);
  cleanUps.push(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);
