import { hostname } from 'node:os';
import { MAX_MESSAGE_BYTES } from '../wire/message.js';
import { MongoError } from '../errors.js';
import { SESSION_TIMEOUT_MINUTES } from '../sessions.js';
import type { CommandHandler } from './command.js';
import { onlyValue, reply } from './command.js';

/** The MongoDB whose commands and wire protocol are spoken; drivers choose their behaviour by it. */
const VERSION = [7, 0, 0] as const;
const MAX_WIRE_VERSION = 21;
export const MAX_DOCUMENT_BYTES = 16 * 1024 * 1024;
const MAX_WRITE_BATCH_SIZE = 25_000;

/**
 * `hello` and its old names. It presents itself as a mongos: a driver then uses sessions, transactions and
 * retryable writes without there being a replica set to discover. No `topologyVersion`: with one, drivers would
 * ask for answers that are held back until something changes.
 */
export const hello: CommandHandler = async ({ request, client }) => {
  const isLegacy = request.name !== 'hello';
  return reply({
    ...(isLegacy ? { ismaster: true } : { isWritablePrimary: true }),
    ...(request.body.boolean('helloOk') ? { helloOk: true } : {}),
    msg: 'isdbgrid',
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    maxMessageSizeBytes: MAX_MESSAGE_BYTES,
    maxWriteBatchSize: MAX_WRITE_BATCH_SIZE,
    localTime: new Date(),
    logicalSessionTimeoutMinutes: SESSION_TIMEOUT_MINUTES,
    connectionId: client.id,
    minWireVersion: 0,
    maxWireVersion: MAX_WIRE_VERSION,
    readOnly: false,
  });
};

export const ping: CommandHandler = async () => reply({});

export const buildInfo: CommandHandler = async () =>
  reply({
    version: VERSION.join('.'),
    versionArray: [...VERSION, 0],
    gitVersion: 'documentdb',
    modules: [],
    bits: 64,
    debug: false,
    maxBsonObjectSize: MAX_DOCUMENT_BYTES,
    storageEngines: ['documentdb'],
  });

export const connectionStatus: CommandHandler = async () =>
  reply({ authInfo: { authenticatedUsers: [], authenticatedUserRoles: [] } });

export const whatsMyUri: CommandHandler = async ({ client }) => reply({ you: client.address });

export const hostInfo: CommandHandler = async () =>
  reply({
    system: { currentTime: new Date(), hostname: hostname(), cpuAddrSize: 64 },
    os: { type: process.platform },
    extra: {},
  });

export const getLog: CommandHandler = async ({ request }) =>
  request.body.string('getLog') === '*' ? reply({ names: [] }) : reply({ totalLinesWritten: 0, log: [] });

export const getCmdLineOpts: CommandHandler = async () => reply({ argv: ['mongodb-gateway'], parsed: {} });

export const serverStatus: CommandHandler = async ({ services, client }) => {
  const uptime = (Date.now() - services.startedAt) / 1000;
  return reply({
    host: hostname(),
    version: VERSION.join('.'),
    process: 'mongodb-gateway',
    pid: process.pid,
    uptime,
    uptimeMillis: Math.round(uptime * 1000),
    localTime: new Date(),
    connections: { totalCreated: client.id },
    metrics: { cursor: { open: { total: services.cursors.size } } },
  });
};

const PARAMETERS = { featureCompatibilityVersion: { version: '7.0' }, transactionLifetimeLimitSeconds: 60 };

export const getParameter: CommandHandler = async ({ request }) => {
  if (request.body.string('getParameter') === '*') return reply(PARAMETERS);
  const asked = Object.entries(PARAMETERS).filter(([name]) => request.body.has(name));
  if (asked.length === 0) throw new MongoError('InvalidOptions', 'no option found to get');
  return reply(Object.fromEntries(asked));
};

export const currentOp: CommandHandler = async ({ executor }) => {
  const text = `select documentdb_api.current_op_command($1)`;
  return onlyValue(await executor.run({ text, parameters: [reply({ currentOp: 1 })] }, { isRead: true }));
};
