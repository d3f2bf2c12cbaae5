#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { Gateway } from './server.js';
import type { PgAddress } from './postgres/pg-connection.js';

const USAGE = 'usage: main.js --postgres postgres://USER@HOST:PORT/DATABASE [--port PORT]';

function readArguments(): { postgres: PgAddress; port: number } {
  const { values } = parseArgs({
    options: { postgres: { type: 'string' }, port: { type: 'string', default: '27017' } },
  });
  if (values.postgres === undefined) throw new Error(USAGE);
  const url = new URL(values.postgres);
  const port = Number(values.port);
  if (!/^postgres(ql)?:$/.test(url.protocol) || !Number.isInteger(port) || port < 0 || port > 65_535)
    throw new Error(USAGE);
  const user = decodeURIComponent(url.username) || 'postgres';
  const database = decodeURIComponent(url.pathname.slice(1)) || 'postgres';
  return { postgres: { host: url.hostname, port: Number(url.port || 5432), user, database }, port };
}

try {
  const gateway = await Gateway.start(readArguments());
  console.log(`listening on ${gateway.address}`);
  let stopping: Promise<void> | null = null;
  const stop = (): void => {
    stopping ??= gateway.stop().then(() => process.exit(0));
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
