import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { withDatabase } from '../../local/mongodb.js';
import { balance, routeByModule, startGateway } from '../../local/nginx.js';
import { cacheDir } from '../../local/paths.js';
import { freePort } from '../../local/ports.js';
import { type Shape, type ShapeProcess, SHAPES } from '../../local/shapes.js';
import { databaseUri, type EnvironmentOverrides, environmentFor, newDatabaseName, TestService } from './service.js';

/** The service in one of its shapes: what clients and operators see of it, and its processes. */
export interface RunningShape {
  /** Where clients reach it. */
  url: string;
  /** The environment that an operator's command for accounts gets. */
  environment: EnvironmentOverrides;
  processes: TestService[];
}

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
  const planned: ShapeProcess[] = SHAPES[shape];
  const ports = await Promise.all(planned.map(() => freePort()));
  const [gatewayPort, database] = [await freePort(), newDatabaseName()];
  const url = `http://127.0.0.1:${shape === 'single' ? ports[0] : gatewayPort}`;
  // Secrets are everybody's; addresses of a limit's clients come from the gateway.
  const common = { ...environmentFor(database), PUBLIC_URL: url, ...overrides };
  const processes = planned.map(({ modules }, index) => {
    const own = modules ? newDatabaseName() : database;
    const split = modules && { MODULES: modules, EVENT_BUS: 'rabbitmq' };
    const uri = mongodbUrl === undefined ? databaseUri(own) : withDatabase(mongodbUrl, own);
    const places = { MONGODB_URI: uri, PORT: String(ports[index]) };
    const proxy = shape === 'single' ? {} : { TRUST_PROXY: '1' };
    return new TestService(own, { ...common, ...places, ...split, ...proxy });
  });
  if (shape !== 'single') {
    const byModule = Object.fromEntries(planned.map(({ name }, index) => [name, ports[index] as number]));
    await startGatewayFor(shape === 'split' ? routeByModule(byModule) : balance(ports), gatewayPort);
  }
  // One after the other: together they would keep a small machine from starting any of them in time.
  for (const each of processes) await each.start();
  return { url, environment: (processes[0] as TestService).environment, processes };
}

async function startGatewayFor(gateway: Parameters<typeof startGateway>[1], port: number): Promise<void> {
  const dataDir = mkdtempSync(join(tmpdir(), 'scalable-api-test-gateway-'));
  const logDir = join(dataDir, 'logs');
  mkdirSync(logDir);
  const places = { dataDir, logDir, cacheDir: cacheDir(), durable: false, usualPorts: false };
  const server = await startGateway({ ...places, log: () => undefined, onSpawn: () => undefined }, gateway, port);
  cleanUps.push(async () => {
    await server.stop();
    rmSync(dataDir, { recursive: true });
  });
}

afterAll(async () => {
  for (const cleanUp of cleanUps) await cleanUp();
}, 60_000);
