import { Types } from 'mongoose';
import { keysetAfter, keysetSort } from '../../common/pagination/keyset.js';
import { TASK_SORTS } from './dto/task-requests.dto.js';
import { NO_DUE_DATE } from './schemas/task.schema.js';
import { newTask } from './task-fields.js';
import { TASK_KEYSETS } from './task-keysets.js';
import { fromPriority } from './task.mapper.js';

const user = String(new Types.ObjectId());
const id = String(new Types.ObjectId());
const task = newTask(user, { title: 'Write the report' }, new Date());

describe('the orders of a task list', () => {
  it('are those that a request can ask for', () => {
    expect(Object.keys(TASK_KEYSETS).sort()).toEqual([...TASK_SORTS].sort());
  });

  it.each(TASK_SORTS)('%s: goes by that field, in that direction', (sort) => {
    const direction = sort.startsWith('-') ? -1 : 1;
    const field = sort.replace('-', '');
    expect(keysetSort(TASK_KEYSETS[sort])).toEqual({ [field]: direction, _id: direction });
  });

  it.each(TASK_SORTS)('%s: compares values of the type that is stored', (sort) => {
    const { field, type } = TASK_KEYSETS[sort];
    const stored = task[field];
    const value = stored instanceof Date ? stored.toISOString() : stored;
    expect(type).toBe(stored instanceof Date ? 'date' : typeof stored);
    expect(keysetAfter({ field, type, descending: true }, { value, id })).toMatchObject({ [field]: { $lte: stored } });
  });

  it.each([
    ['dueDate', NO_DUE_DATE.toISOString()],
    ['priority', fromPriority('urgent')],
    ['-priority', fromPriority('low')],
    ['-dueDate', undefined],
  ] as const)('%s: has %s as its last value', (sort, last) => {
    expect(TASK_KEYSETS[sort].last).toBe(last);
  });
});
