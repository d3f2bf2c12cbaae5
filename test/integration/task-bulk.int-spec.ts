import { Types } from 'mongoose';
import { TaskBulkService } from '../../src/modules/tasks/task-bulk.service.js';
import { buildParts, findModel } from '../support/parts.js';

const REQUEST = { id: 'request', url: '/api/v1/tasks/bulk' };

describe('a bulk of a hundred operations', () => {
  it('takes a few statements in one transaction, and fails alone where one is wrong', async () => {
    const app = await buildParts();
    const bulk = app.get(TaskBulkService, { strict: false });
    const userId = String(new Types.ObjectId());
    const create = Array.from({ length: 100 }, (_, index) => ({ op: 'create', task: { title: `Task ${index}` } }));
    const created = await bulk.run(userId, create, REQUEST);

    const commands: string[] = [];
    const client = findModel(app, 'Task').db.getClient();
    client.on('commandStarted', ({ commandName, command }) => {
      if ('autocommit' in command) commands.push(commandName); // what is in the transaction
    });
    const operations = created.map(
      ({ id }, index) =>
        [
          { op: 'create', task: { title: 'New' } },
          { op: 'update', id, changes: { title: 'Changed' } },
          { op: 'delete', id },
          { op: 'update', id, changes: { title: '' } },
        ][index % 4],
    );
    const results = await bulk.run(userId, operations, REQUEST);
    expect(results.map(({ status }) => status)).toEqual(created.map((_, index) => [201, 200, 204, 400][index % 4]));
    // Read; insert, update, delete, keep what was deleted; history, its end; events; what it owes the cache; commit.
    expect(commands.length).toBeLessThanOrEqual(10);
    expect(commands.filter((name) => name === 'commitTransaction')).toHaveLength(1);
  });
});
