import { setTimeout as delay } from 'node:timers/promises';
import { getModelToken } from '@nestjs/mongoose';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import mongoose, { type Connection, type Model, type Schema } from 'mongoose';
import { pino } from 'pino';
import { createApp } from '../../src/bootstrap.js';
import { type Environment, readEnvironment } from '../../src/config/environment.js';
import { IndexSynchronizer } from '../../src/platform/database/index-synchronizer.js';
import { databaseUri, environmentFor, newDatabaseName } from './service.js';

const connections: Connection[] = [];
const apps: NestFastifyApplication[] = [];

/** The environment of a service on a fresh database, for tests that build its parts in their own process. */
export function newEnvironment(overrides: Record<string, string> = {}): Environment {
  return readEnvironment({ ...environmentFor(newDatabaseName()), ...overrides });
}

/**
 * The service's parts on a fresh database, with indexes, in this process: built but not started, so nothing works in
 * the background. Closed after the test file.
 */
export async function buildParts(overrides: Record<string, string> = {}): Promise<NestFastifyApplication> {
  const app = await createApp(newEnvironment(overrides), pino({ level: 'silent' }));
  apps.push(app);
  await app.get(IndexSynchronizer).synchronize();
  return app;
}

/** A model by its name: a schema never leaves its module, so tests say what they need to know of its documents. */
export function findModel<T>(app: NestFastifyApplication, name: string): Model<T> {
  return app.get<Model<T>>(getModelToken(name), { strict: false });
}

/** A connection to a fresh database; closed, and the database dropped, after the test file. */
export async function connect(options: mongoose.ConnectOptions = {}): Promise<Connection> {
  const connection = await mongoose.createConnection(databaseUri(newDatabaseName()), options).asPromise();
  connections.push(connection);
  return connection;
}

/** A model whose collection and indexes are in place. */
export async function modelOf<T>(connection: Connection, name: string, schema: Schema<T>): Promise<Model<T>> {
  const model = connection.model<T>(name, schema);
  await model.createCollection();
  await model.createIndexes();
  return model;
}

/** A promise to be settled from outside. */
export interface Deferred {
  promise: Promise<void>;
  resolve: () => void;
}

export function deferred(): Deferred {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

/** Whether a promise is still open after everything that was ready has run. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  const open = Symbol('open');
  return (await Promise.race([promise, delay(50, open)])) === open;
}

afterAll(async () => {
  await Promise.all(apps.map((app) => app.close()));
  await Promise.all(connections.map((connection) => connection.close()));
});
