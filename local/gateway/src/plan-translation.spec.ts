import { countExamined, toStage } from './plan-translation.js';
import type { PlanNode } from './plan-translation.js';

const KEYS = new Map([['a_1', { a: 1 }]]);
const index: PlanNode = { 'Node Type': 'Bitmap Index Scan', 'Index Name': 'a_1', 'Actual Rows': 10, 'Actual Loops': 1 };
const heap: PlanNode = {
  'Node Type': 'Bitmap Heap Scan',
  'Actual Rows': 4,
  'Actual Loops': 1,
  'Rows Removed by Filter': 6,
  Plans: [index],
};

describe('plans', () => {
  it('keep a sort visible above an index', () => {
    expect(toStage({ 'Node Type': 'Sort', Plans: [heap] }, KEYS)).toMatchObject({
      stage: 'SORT',
      inputStage: { stage: 'FETCH', inputStage: { stage: 'IXSCAN', indexName: 'a_1', keyPattern: { a: 1 } } },
    });
  });

  it('call a walk through the primary key without an _id what it is', () => {
    const walk = { ...index, 'Index Name': '_id_', 'Index Cond': "(shard_key_value = '7'::bigint)" };
    const plan = { ...heap, Plans: [walk] };
    expect(toStage(plan, KEYS)).toMatchObject({ stage: 'COLLSCAN' });
    expect(countExamined(plan)).toEqual({ keys: 0, documents: 10 });
  });

  it('keep the name of a node that has none in MongoDB', () => {
    expect(toStage({ 'Node Type': 'Nested Loop', Plans: [heap, heap] }, KEYS)).toMatchObject({ stage: 'NESTED_LOOP' });
  });

  it('count what was looked at, not only what was found', () => {
    expect(countExamined(heap)).toEqual({ keys: 10, documents: 10 });
  });

  it('count the entries an index scan walked over without finding', () => {
    const details = [{ indexName: 'a_1', innerScanLoops: 501 }];
    expect(countExamined({ 'Node Type': 'Custom Scan', IndexDetails: details, Plans: [heap] }).keys).toBe(500);
  });

  it('multiply averages by repetitions', () => {
    expect(countExamined({ ...heap, 'Actual Loops': 3, Plans: [] }).documents).toBe(30);
  });
});
