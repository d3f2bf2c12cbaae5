import { deserialize } from 'bson';
import type { Document } from 'bson';
import { elementOf } from '../wire/command-document.js';
import { engineSpec } from '../command-request.js';
import type { CommandRequest } from '../command-request.js';
import { MongoError } from '../errors.js';
import { countExamined, toStage } from '../plan-translation.js';
import type { PlanNode } from '../plan-translation.js';
import type { CommandContext, CommandHandler } from './command.js';
import { reply } from './command.js';
import { requireSupportedFind } from './reads.js';

/** Writes are refused: what the engine shows for them is not the plan it runs them by. */
const QUERIES: Record<string, string> = {
  find: 'bson_aggregation_find',
  aggregate: 'bson_aggregation_pipeline',
  count: 'bson_aggregation_count',
  distinct: 'bson_aggregation_distinct',
};

const VERBOSITIES = ['queryPlanner', 'executionStats', 'allPlansExecution'];

const INDEX_KEYS = `select (i.index_spec).index_name, (i.index_spec).index_key
  from documentdb_api_catalog.collection_indexes i join documentdb_api_catalog.collections c using (collection_id)
  where c.database_name = $1 and c.collection_name = $2`;

interface Explanation {
  Plan: PlanNode;
  'Execution Time'?: number;
}

/**
 * mongod's `explain` made from PostgreSQL's. The query is planned as a whole, without a cursor's pages.
 * The collection's statistics are brought up to date first, so that the plan is the one later queries get.
 * With `executionStats` it is run (EXPLAIN ANALYZE), so the numbers are of this very run.
 */
export const explain: CommandHandler = async (context) => {
  const { request } = context;
  const inner = innerRequest(request);
  if (inner.name === 'find') requireSupportedFind(inner);
  const verbosity = request.body.string('verbosity') ?? 'allPlansExecution';
  if (!VERBOSITIES.includes(verbosity)) throw new MongoError('BadValue', `Unknown explain verbosity '${verbosity}'`);
  const isRun = verbosity !== 'queryPlanner';
  const collection = inner.body.string(inner.name) ?? '';
  await context.services.statistics.analyze(request.db, collection);
  const [explanation, keyPatterns] = [await planOf(context, inner, isRun), await keyPatternsOf(context, collection)];
  return reply({
    explainVersion: '1',
    queryPlanner: {
      namespace: `${request.db}.${collection}`,
      indexFilterSet: false,
      winningPlan: toStage(explanation.Plan, keyPatterns),
      rejectedPlans: [],
    },
    ...(isRun ? { executionStats: executionStats(explanation, toStage(explanation.Plan, keyPatterns)) } : {}),
    command: deserialize(inner.body.bytes, { promoteLongs: false }),
  });
};

function innerRequest(request: CommandRequest): CommandRequest {
  const body = request.body.document('explain');
  const name = body?.firstName ?? '';
  if (!body || !(name in QUERIES)) {
    throw new MongoError('CommandNotSupported', `explain of '${name}' is not supported by this server`);
  }
  return { ...request, body, name };
}

async function planOf(
  { executor, request }: CommandContext,
  inner: CommandRequest,
  isRun: boolean,
): Promise<Explanation> {
  const options = isRun ? 'analyze, verbose, format json' : 'verbose, format json';
  const dropped = ['explain', 'cursor', 'allowDiskUse', 'noCursorTimeout', 'batchSize', 'singleBatch'];
  const cursor = inner.name === 'aggregate' ? [EMPTY_CURSOR] : [];
  const spec = engineSpec(inner, dropped, cursor).toString('hex');
  const db = `'${request.db.replaceAll("'", "''")}'`;
  const query = `documentdb_api_catalog.${QUERIES[inner.name]}(${db}, 'BSONHEX${spec}'::documentdb_core.bson)`;
  const text = `explain (${options}) select document from ${query}`;
  const rows = await executor.run({ text, isOneOff: true }, { maxTimeMS: request.maxTimeMS, isRead: true });
  const [explanation] = JSON.parse(rows[0]![0]!.toString()) as Explanation[];
  return explanation!;
}

const EMPTY_CURSOR = elementOf('cursor', {});

async function keyPatternsOf(
  { executor, request }: CommandContext,
  collection: string,
): Promise<Map<string, Document>> {
  const rows = await executor.run({ text: INDEX_KEYS, parameters: [request.db, collection] }, { isRead: true });
  return new Map(rows.map(([name, key]) => [name!.toString(), deserialize(key!)]));
}

function executionStats(explanation: Explanation, executionStages: Document): Document {
  const { keys, documents } = countExamined(explanation.Plan);
  return {
    executionSuccess: true,
    nReturned: Math.round(explanation.Plan['Actual Rows'] ?? 0),
    executionTimeMillis: Math.round(explanation['Execution Time'] ?? 0),
    totalKeysExamined: keys,
    totalDocsExamined: documents,
    executionStages,
  };
}
