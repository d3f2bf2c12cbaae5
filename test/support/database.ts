import { MongoClient, type Db } from 'mongodb';
import type { TestService } from './service.js';

const clients = new Map<string, MongoClient>();

/** The service's database, for what no endpoint shows or does. Closed after the test file. */
export function databaseOf({ mongodbUri }: Pick<TestService, 'mongodbUri'>): Db {
  const client = clients.get(mongodbUri) ?? new MongoClient(mongodbUri);
  clients.set(mongodbUri, client);
  return client.db();
}

afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client.close()));
});
