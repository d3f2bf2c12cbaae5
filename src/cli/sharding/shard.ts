import { getConnectionToken } from '@nestjs/mongoose';
import type { Connection } from 'mongoose';
import { ConfigurationError } from '../../config/environment.js';
import { loadEnvironment } from '../../config/load-environment.js';
import type { Outcome } from '../command.js';
import { withApp } from '../with-app.js';
import { type ClusterState, planSharding, scatteringQueries } from './plan.js';

type Database = NonNullable<Connection['db']>;

/**
 * `shard`: sets a sharded cluster up, as far as it isn't; `shard --check` changes nothing, says what is left to do, and which
 * hot queries would ask every shard.
 */
export async function shard(options: { check: boolean }, source: NodeJS.ProcessEnv): Promise<Outcome> {
  return await withApp(await loadEnvironment(source), async (app) => {
    const { db } = app.get<Connection>(getConnectionToken());
    if (!db) throw new Error('the connection has no database');
    return { output: options.check ? await check(db) : await setUp(db) };
  });
}

async function setUp(db: Database): Promise<string> {
  const steps = planSharding(db.databaseName, await readState(db));
  for (const { database, command } of steps) await (database === 'admin' ? db.admin() : db).command(command);
  return steps.length === 0 ? 'Nothing was left to do.' : `Done in ${steps.length} steps.`;
}

async function check(db: Database): Promise<string> {
  const state = await readState(db);
  const left = planSharding(db.databaseName, state).map(({ command }) => `  ${JSON.stringify(command)}`);
  const scattering = scatteringQueries(state).map(({ what, collection }) => `  ${what} (${collection})`);
  return ['Left to do:', ...(left.length > 0 ? left : ['  nothing']), 'Ask every shard:', ...scattering].join('\n');
}

async function readState(db: Database): Promise<ClusterState> {
  const { msg } = await db.admin().command({ hello: 1 });
  const config = db.client.db('config');
  const prefix = `${db.databaseName}.`;
  const [shards, collections, ranges] = await Promise.all([
    config.collection<{ _id: string; tags?: string[] }>('shards').find().sort({ _id: 1 }).toArray(),
    config.collection<{ _id: string; key: object; dropped?: boolean }>('collections').find().toArray(),
    config
      .collection<{ ns: string; tag: string }>('tags')
      .find({ ns: `${prefix}emails` })
      .toArray(),
  ]);
  // What speaks like a mongos has shards, too; a stand-in may not.
  if (msg !== 'isdbgrid' || shards.length === 0) {
    throw new ConfigurationError('MONGODB_URI must lead to a mongos: this is no sharded cluster.');
  }
  const ours = collections.filter(({ _id, dropped }) => _id.startsWith(prefix) && !dropped);
  return {
    shards: shards.map(({ _id, tags = [] }) => ({ id: _id, zones: tags })),
    keys: Object.fromEntries(ours.map(({ _id, key }) => [_id.slice(prefix.length), key])),
    emailZones: ranges.map(({ tag }) => tag),
  };
}
