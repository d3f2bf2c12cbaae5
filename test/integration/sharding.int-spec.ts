import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { COLLECTIONS, HOT_QUERIES, SHARD_KEYS } from '../../src/cli/sharding/shard-keys.js';
import { buildParts } from '../support/parts.js';
import { environmentFor, newDatabaseName, runCli } from '../support/service.js';

it('shards only collections that there are, by fields they have, with no unique index across shards', async () => {
  const app = await buildParts();
  const { models } = app.get<Connection>(getConnectionToken());
  const schemas = new Map(Object.values(models).map(({ collection, schema }) => [collection.name, schema]));
  // One that is missing here would silently stay on one shard: its module's manifest has to say so.
  expect(Object.keys(COLLECTIONS).sort()).toEqual([...schemas.keys()].sort());
  for (const [collection, key] of Object.entries(SHARD_KEYS)) {
    const schema = schemas.get(collection);
    expect([collection, schema === undefined]).toEqual([collection, false]);
    for (const field of Object.keys(key)) expect(schema!.path(field)).toBeDefined();
    const unique = schema!.indexes().filter(([, options]) => options.unique);
    expect([collection, unique]).toEqual([collection, []]);
  }
  for (const { collection, fields } of HOT_QUERIES) {
    for (const field of fields)
      expect([collection, field, !!schemas.get(collection)?.path(field)]).toEqual([collection, field, true]);
  }
});

it('says that it needs a mongos where there is none', async () => {
  const { code, output } = await runCli({ environment: environmentFor(newDatabaseName()) }, ['shard']);
  expect([code, output]).toEqual([1, 'MONGODB_URI must lead to a mongos: this is no sharded cluster.\n']);
});
