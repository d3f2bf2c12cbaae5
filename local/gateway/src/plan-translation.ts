import type { Document } from 'bson';

/** A node of PostgreSQL's EXPLAIN (FORMAT JSON). */
export interface PlanNode {
  'Node Type': string;
  'Index Name'?: string;
  'Index Cond'?: string;
  'Function Name'?: string;
  'Function Call'?: string;
  'Scan Direction'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  'Rows Removed by Filter'?: number;
  'Rows Removed by Index Recheck'?: number;
  'Heap Fetches'?: number;
  IndexDetails?: { indexName: string; innerScanLoops?: number }[];
  Filter?: string;
  Plans?: PlanNode[];
}

export interface Examined {
  keys: number;
  documents: number;
}

/** Nodes that only pass on what is below them. */
const TRANSPARENT = new Set([
  'Custom Scan',
  'Result',
  'Subquery Scan',
  'Materialize',
  'LockRows',
  'ProjectSet',
  'Gather',
  'Gather Merge',
  'Memoize',
]);

const STAGES: Record<string, string> = {
  Limit: 'LIMIT',
  Sort: 'SORT',
  'Incremental Sort': 'SORT',
  'Seq Scan': 'COLLSCAN',
  BitmapOr: 'OR',
  BitmapAnd: 'AND_HASH',
  'Merge Append': 'SORT_MERGE',
  Aggregate: 'GROUP',
  Group: 'GROUP',
  Unique: 'DISTINCT_SCAN',
};

/**
 * The stage tree mongod would call it. An index that is scanned under a Sort stays under SORT: only a tree
 * without one was served in order. A node that has no name in MongoDB keeps PostgreSQL's, in capitals.
 * @param keyPatterns of the collection's indexes by name
 */
export function toStage(node: PlanNode, keyPatterns: ReadonlyMap<string, Document>): Document {
  const children = (node.Plans ?? []).map((child) => toStage(child, keyPatterns));
  const type = node['Node Type'];
  if (TRANSPARENT.has(type) && children.length === 1) return children[0]!;
  if (type === 'Function Scan' && node['Function Call']?.includes('empty_data_table'))
    return { stage: 'EOF', ...counted(node) };
  if (type === 'Bitmap Index Scan' || type === 'Index Only Scan') return indexScan(node, keyPatterns);
  if (type === 'Index Scan') return { stage: 'FETCH', ...counted(node), inputStage: indexScan(node, keyPatterns) };
  if (isWholeCollection(node)) return { stage: 'COLLSCAN', ...counted(node) };
  if (type === 'Bitmap Heap Scan') return { stage: 'FETCH', ...counted(node), ...inputs(children) };
  return { stage: STAGES[type] ?? type.toUpperCase().replaceAll(' ', '_'), ...counted(node), ...inputs(children) };
}

/** The engine may read a collection by way of its primary key without asking for any `_id`: that serves nothing. */
function isWholeCollection({ 'Node Type': type, Plans = [] }: PlanNode): boolean {
  const [index] = Plans;
  if (type !== 'Bitmap Heap Scan' || index?.['Node Type'] !== 'Bitmap Index Scan') return false;
  return index['Index Name'] === '_id_' && !index['Index Cond']?.includes('object_id');
}

function indexScan(node: PlanNode, keyPatterns: ReadonlyMap<string, Document>): Document {
  const indexName = node['Index Name'] ?? '';
  const keyPattern = keyPatterns.get(indexName);
  const direction = node['Scan Direction'] === 'Backward' ? 'backward' : 'forward';
  return { stage: 'IXSCAN', ...counted(node), indexName, ...(keyPattern ? { keyPattern } : {}), direction };
}

function inputs(children: Document[]): Document {
  if (children.length === 0) return {};
  return children.length === 1 ? { inputStage: children[0] } : { inputStages: children };
}

function counted(node: PlanNode): Document {
  return node['Actual Rows'] === undefined ? {} : { nReturned: times(node, node['Actual Rows']) };
}

/** PostgreSQL gives averages over a node's repetitions. */
function times(node: PlanNode, average: number): number {
  return Math.round(average * (node['Actual Loops'] ?? 1));
}

/** Index entries and documents that were looked at anywhere below a node, found wanting or not. */
export function countExamined(node: PlanNode): Examined {
  if (isWholeCollection(node)) return countExamined({ ...node, 'Node Type': 'Seq Scan', Plans: [] });
  const below = (node.Plans ?? []).map(countExamined);
  const total = { keys: sum(below.map(({ keys }) => keys)), documents: sum(below.map(({ documents }) => documents)) };
  const rows = times(node, node['Actual Rows'] ?? 0);
  const discarded = times(node, (node['Rows Removed by Filter'] ?? 0) + (node['Rows Removed by Index Recheck'] ?? 0));
  switch (node['Node Type']) {
    case 'Seq Scan':
    case 'Bitmap Heap Scan':
      return { ...total, documents: total.documents + rows + discarded };
    case 'Index Scan':
      return { keys: total.keys + rows + discarded, documents: total.documents + rows + discarded };
    case 'Bitmap Index Scan':
      return { ...total, keys: total.keys + rows };
    case 'Index Only Scan':
      return {
        keys: total.keys + rows + discarded,
        documents: total.documents + times(node, node['Heap Fetches'] ?? 0),
      };
    default:
      return { ...total, keys: Math.max(total.keys, entriesVisited(node)) };
  }
}

/** The engine counts the steps of each index scan, of which the last finds that there is no more. */
function entriesVisited({ IndexDetails = [] }: PlanNode): number {
  return sum(IndexDetails.map(({ innerScanLoops = 0 }) => Math.max(innerScanLoops - 1, 0)));
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
