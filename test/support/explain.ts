import type { Connection } from 'mongoose';

/** What the database did for a piece of work, over all the queries it sent. */
export interface Explanation {
  queries: number;
  /** The stages of all plans. */
  stages: string[];
  documentsExamined: number;
}

type Node = Record<string, unknown>;

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null;

/** All objects in a tree that have a member of this name; mongod puts plans deep into an aggregation's explanation. */
function nodesWith(name: string, tree: unknown): Node[] {
  if (!isNode(tree)) return [];
  const below = Object.entries(tree).filter(
    ([key]) => !['rejectedPlans', 'allPlansExecution', 'command'].includes(key),
  );
  return [...(name in tree ? [tree] : []), ...below.flatMap(([, value]) => nodesWith(name, value))];
}

/** Runs `work`, then has the finds and aggregations that it sent explained as the driver sent them. */
export async function explain(connection: Connection, work: () => Promise<unknown>): Promise<Explanation> {
  const sent: Node[] = [];
  const note = ({ commandName, command }: { commandName: string; command: Node }) => {
    if (['find', 'aggregate'].includes(commandName)) sent.push(command);
  };
  connection.getClient().on('commandStarted', note);
  await work();
  connection.getClient().off('commandStarted', note);
  const plans = await Promise.all(sent.map((command) => explainCommand(connection, command)));
  const stats = plans.flatMap((plan) => nodesWith('totalDocsExamined', plan));
  const stages = plans.flatMap((plan) =>
    nodesWith('winningPlan', plan).flatMap(({ winningPlan }) => nodesWith('stage', winningPlan)),
  );
  return {
    queries: sent.length,
    stages: stages.map(({ stage }) => String(stage)),
    documentsExamined: sum(stats.map(({ totalDocsExamined }) => Number(totalDocsExamined))),
  };
}

async function explainCommand(connection: Connection, command: Node): Promise<unknown> {
  // Without what the driver adds for its session.
  const own = Object.entries(command).filter(([name]) => !['lsid', '$db', '$clusterTime'].includes(name));
  return await connection.db?.command({ explain: Object.fromEntries(own), verbosity: 'executionStats' });
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
