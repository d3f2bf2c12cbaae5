import type { Collection, Document } from 'mongodb';
import { openDatabase, serverError } from './support/database.js';
import type { TestDatabase } from './support/database.js';

/** Stage names from the top down, along the first input. */
function stages(explanation: Document): string[] {
  const names: string[] = [];
  let stage = (explanation['queryPlanner'] as Document)['winningPlan'] as Document | undefined;
  while (stage) {
    names.push(String(stage['stage']));
    stage = (stage['inputStage'] ?? (stage['inputStages'] as Document[] | undefined)?.[0]) as Document | undefined;
  }
  return names;
}

describe('explain', () => {
  let test: TestDatabase;
  let tasks: Collection;

  beforeAll(async () => {
    test = await openDatabase();
    tasks = test.db.collection('tasks');
    await tasks.createIndex({ user: 1, at: -1, _id: -1 });
    await tasks.insertMany(
      Array.from({ length: 3000 }, (_, n) => ({ user: n % 3, at: (n * 7) % 1000, title: `t${n}` })),
    );
  });
  afterAll(() => test.close());

  it('shows an index that serves filter and sort, and how little was looked at', async () => {
    const explanation = await tasks.find({ user: 1 }).sort({ at: -1, _id: -1 }).limit(20).explain('executionStats');
    expect(stages(explanation)).toEqual(['LIMIT', 'FETCH', 'IXSCAN']);
    expect(explanation['executionStats']).toMatchObject({
      nReturned: 20,
      totalDocsExamined: 20,
      totalKeysExamined: 20,
    });
    const scan = { indexName: 'user_1_at_-1__id_-1', keyPattern: { user: 1, at: -1, _id: -1 } };
    expect(explanation['queryPlanner']).toMatchObject({ winningPlan: { inputStage: { inputStage: scan } } });
  });

  it('shows a sort in memory', async () => {
    const explanation = await tasks.find({ user: 1 }).sort({ title: 1 }).limit(20).explain('executionStats');
    expect(stages(explanation)).toEqual(['LIMIT', 'SORT', 'FETCH', 'IXSCAN']);
    expect(explanation['executionStats']).toMatchObject({ nReturned: 20, totalDocsExamined: 1000 });
  });

  it('shows that a whole collection is read', async () => {
    const explanation = await tasks.find({ title: 't5' }).explain('executionStats');
    expect(stages(explanation)).toEqual(['COLLSCAN']);
    expect(explanation['executionStats']).toMatchObject({
      nReturned: 1,
      totalDocsExamined: 3000,
      totalKeysExamined: 0,
    });
  });

  it('does not run the query unless asked to', async () => {
    const explanation = await tasks.find({ user: 1 }).explain('queryPlanner');
    expect(explanation).not.toHaveProperty('executionStats');
    expect(stages(explanation)).toContain('IXSCAN');
  });

  it('explains an aggregation', async () => {
    const explanation = await tasks.aggregate([{ $match: { user: 1 } }, { $group: { _id: '$at' } }]).explain();
    expect(stages(explanation)).toEqual(expect.arrayContaining(['GROUP', 'IXSCAN']));
  });

  it('finds nothing in a collection that is not there', async () => {
    expect(stages(await test.db.collection('nowhere').find({ a: 1 }).explain())).toEqual(['EOF']);
  });

  it('refuses to explain a write', async () => {
    const command = { explain: { delete: 'tasks', deletes: [{ q: {}, limit: 0 }] } };
    expect((await serverError(test.db.command(command))).code).toBe(115);
    expect(await tasks.countDocuments()).toBe(3000);
  });
});
