import { collectionName, engineSpec } from '../command-request.js';
import { MongoError } from '../errors.js';
import type { CommandContext, CommandHandler } from './command.js';
import { onlyValue, reply } from './command.js';
import { firstPage } from './reads.js';

/** One at a time, except inside a transaction, which has to see its own collections and may wait for no one. */
function exclusively<T>({ transaction, services, request }: CommandContext, task: () => Promise<T>): Promise<T> {
  return transaction ? task() : services.collections.change(request.db, task);
}

export const create: CommandHandler = async (context) => {
  const { request, executor } = context;
  const name = collectionName(request);
  const text = 'select documentdb_api.create_collection_view($1, $2)';
  return exclusively(context, async () => {
    if (await exists(context, name)) {
      throw new MongoError('NamespaceExists', `Collection ${request.db}.${name} already exists.`);
    }
    return onlyValue(await executor.run({ text, parameters: [request.db, engineSpec(request)] }));
  });
};

const EXISTS = 'select 1 from documentdb_api_catalog.collections where database_name = $1 and collection_name = $2';

async function exists({ request, executor }: CommandContext, collection: string): Promise<boolean> {
  const rows = await executor.run({ text: EXISTS, parameters: [request.db, collection] });
  return rows.length > 0;
}

export const drop: CommandHandler = async (context) => {
  const { request, executor, services } = context;
  const name = collectionName(request);
  const text = 'select documentdb_api.drop_collection($1, $2)';
  const wasThere = await exclusively(context, async () => {
    services.collections.forget(request.db, name);
    services.statistics.forget(request.db, name);
    services.cursors.killWhere((cursor) => cursor.namespace === `${request.db}.${name}`);
    const dropped = onlyValue(await executor.run({ text, parameters: [request.db, name] }));
    services.collections.forget(request.db, name);
    return dropped[0] === 1;
  });
  return reply(wasThere ? { nIndexesWas: 1, ns: `${request.db}.${name}` } : {});
};

export const dropDatabase: CommandHandler = async (context) => {
  const { request, executor, services } = context;
  await exclusively(context, async () => {
    services.collections.forget(request.db);
    services.statistics.forget(request.db);
    services.cursors.killWhere((cursor) => cursor.namespace.startsWith(`${request.db}.`));
    await executor.run({ text: 'select documentdb_api.drop_database($1)', parameters: [request.db] });
    services.collections.forget(request.db);
  });
  return reply({ dropped: request.db });
};

export const renameCollection: CommandHandler = async (context) => {
  const { request, executor, services } = context;
  const from = request.body.string('renameCollection') ?? '';
  const to = request.body.string('to') ?? '';
  if (!from.includes('.') || !to.includes('.')) {
    throw new MongoError('InvalidNamespace', "renameCollection takes two full namespaces: 'renameCollection' and 'to'");
  }
  const text = 'select documentdb_api.rename_collection($1)';
  return services.collections.change(from.slice(0, from.indexOf('.')), async () => {
    for (const namespace of [from, to]) {
      const dot = namespace.indexOf('.');
      services.collections.forget(namespace.slice(0, dot), namespace.slice(dot + 1));
    }
    return onlyValue(await executor.run({ text, parameters: [engineSpec(request)] }));
  });
};

export const collMod: CommandHandler = async (context) => {
  const { request, executor } = context;
  const text = 'select documentdb_api.coll_mod($1, $2, $3)';
  const parameters = [request.db, collectionName(request), engineSpec(request)];
  return exclusively(context, async () => onlyValue(await executor.run({ text, parameters })));
};

export const listCollections: CommandHandler = (context) =>
  firstPage(
    context,
    'listCollections',
    `${context.request.db}.$cmd.listCollections`,
    engineSpec(context.request, ['authorizedCollections']),
  );

export const listDatabases: CommandHandler = async ({ request, executor }) => {
  const text = 'select documentdb_api.list_databases($1)';
  const parameters = [engineSpec(request, ['authorizedDatabases'])];
  return onlyValue(await executor.run({ text, parameters }, { isRead: true }));
};

export const collStats: CommandHandler = async ({ request, executor }) => {
  const text = 'select documentdb_api.coll_stats($1, $2, $3::text::float8)';
  const parameters = [request.db, collectionName(request), String(request.body.number('scale') ?? 1)];
  return onlyValue(await executor.run({ text, parameters }, { isRead: true }));
};

export const dbStats: CommandHandler = async ({ request, executor }) => {
  const text = 'select documentdb_api.db_stats($1, $2::text::float8)';
  const parameters = [request.db, String(request.body.number('scale') ?? 1)];
  return onlyValue(await executor.run({ text, parameters }, { isRead: true }));
};

export const validate: CommandHandler = async ({ request, executor }) => {
  const text = 'select document from documentdb_api.validate($1, $2)';
  const parameters = [request.db, engineSpec(request)];
  return onlyValue(await executor.run({ text, parameters }, { isRead: true }));
};
