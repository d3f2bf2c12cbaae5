import { randomBytes } from 'node:crypto';
import { MongoClient, MongoServerError } from 'mongodb';
import type { Db, MongoClientOptions } from 'mongodb';
import { startGateway } from './gateway-process.js';
import type { GatewayProcess } from './gateway-process.js';

/** A gateway, a client and a database of one test file's own. */
export interface TestDatabase {
  gateway: GatewayProcess;
  client: MongoClient;
  db: Db;
  close(): Promise<void>;
}

/** @param postgres another address of the engine, to put something in between */
export async function openDatabase(options: MongoClientOptions = {}, postgres?: string): Promise<TestDatabase> {
  const gateway = await startGateway(postgres);
  const client = await new MongoClient(gateway.uri, { serverSelectionTimeoutMS: 5_000, ...options }).connect();
  const db = client.db(`gateway_test_${randomBytes(6).toString('hex')}`);
  const close = async (): Promise<void> => {
    await db.dropDatabase();
    await client.close();
    await gateway.stop();
  };
  return { gateway, client, db, close };
}

/** The error a server answered with; fails the test when it answered otherwise. */
export async function serverError(promise: Promise<unknown>): Promise<MongoServerError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof MongoServerError) return error;
    throw error;
  }
  throw new Error('expected the server to refuse');
}
