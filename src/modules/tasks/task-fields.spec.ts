import { Types } from 'mongoose';
import type { UpdateTaskDto } from './dto/task-requests.dto.js';
import { NO_DUE_DATE, type Task } from './schemas/task.schema.js';
import { fieldChanges, fieldsToChange, indexedFieldsOf, newTask } from './task-fields.js';

const user = String(new Types.ObjectId());
const created = new Date('2035-01-15T09:00:00.000Z');
const now = new Date('2035-01-16T09:00:00.000Z');
const dueDate = '2035-01-31T17:00:00.000Z';

/** One value of each field, other than that of a new task. */
const EVERY_FIELD: Required<UpdateTaskDto> = {
  title: 'Write another report',
  description: 'With the numbers of March.',
  status: 'in_progress',
  priority: 'urgent',
  tags: ['work'],
  dueDate,
  remindAt: '2035-01-31T09:00:00.000Z',
};
const FIELDS = Object.keys(EVERY_FIELD) as (keyof UpdateTaskDto)[];

function taskWith(fields: Partial<Task> = {}): Task {
  return { ...newTask(user, { title: 'Write the report' }, created), ...fields };
}

describe('a new task', () => {
  it('has defaults for what the request leaves out', () => {
    expect(taskWith()).toEqual({
      _id: expect.any(Types.ObjectId) as Types.ObjectId,
      user: new Types.ObjectId(user),
      title: 'Write the report',
      description: '',
      status: 'todo',
      priority: 1,
      tags: [],
      dueDate: NO_DUE_DATE,
      remindAt: null,
      completedAt: null,
      remindedOf: null,
      overdueOf: null,
      version: 1,
      createdAt: created,
      updatedAt: created,
    });
  });

  it('has every field of the request', () => {
    expect(newTask(user, EVERY_FIELD, created)).toMatchObject({
      title: 'Write another report',
      description: 'With the numbers of March.',
      status: 'in_progress',
      priority: 3,
      tags: ['work'],
      dueDate: new Date(dueDate),
      remindAt: new Date('2035-01-31T09:00:00.000Z'),
    });
  });

  it('is completed where it is created as done, and then only', () => {
    const completedAt = (status: Task['status']) => newTask(user, { title: 'T', status }, created).completedAt;
    expect(completedAt('done')).toEqual(created);
    expect(completedAt('archived')).toBeNull();
  });

  it('has each tag once', () => {
    expect(newTask(user, { title: 'T', tags: ['b', 'a', 'b'] }, created).tags).toEqual(['b', 'a']);
  });
});

describe('the fields to change', () => {
  it.each(FIELDS)('include %s', (field) => {
    const fields = fieldsToChange(taskWith(), { [field]: EVERY_FIELD[field] }, now);
    expect(Object.keys(fields)).toEqual([field]);
    expect(fields).toEqual({ [field]: newTask(user, EVERY_FIELD, now)[field] });
  });

  it.each(FIELDS)('leave %s out where it has that value already', (field) => {
    expect(fieldsToChange(newTask(user, EVERY_FIELD, created), { [field]: EVERY_FIELD[field] }, now)).toEqual({});
  });

  it('are none for an empty request', () => {
    expect(fieldsToChange(newTask(user, EVERY_FIELD, created), {}, now)).toEqual({});
  });

  it.each([
    ['dueDate', NO_DUE_DATE],
    ['remindAt', null],
  ])('clear %s where it is null', (field, stored) => {
    expect(fieldsToChange(newTask(user, EVERY_FIELD, created), { [field]: null }, now)).toEqual({ [field]: stored });
  });

  it.each([
    ['todo', null, 'done', { status: 'done', completedAt: now }],
    ['archived', created, 'done', { status: 'done' }],
    ['done', created, 'archived', { status: 'archived' }],
    ['todo', null, 'archived', { status: 'archived' }],
    ['done', created, 'todo', { status: 'todo', completedAt: null }],
    ['done', created, 'done', {}],
  ] as const)('of a task that is %s and was completed at %j: made %s', (status, completedAt, wanted, fields) => {
    expect(fieldsToChange(taskWith({ status, completedAt }), { status: wanted }, now)).toEqual(fields);
  });
});

describe('the changes in the history', () => {
  it('are shown as the API shows them, without version and time of the change', () => {
    const before = taskWith();
    const after = { ...before, priority: 3, dueDate: new Date(dueDate), version: 2, updatedAt: now };
    expect(fieldChanges(before, after)).toEqual([
      { field: 'priority', from: 'medium', to: 'urgent' },
      { field: 'dueDate', from: null, to: dueDate },
    ]);
  });
});

describe('the fields for indexes', () => {
  it('have the words of all texts', () => {
    const { search, tagKeys } = indexedFieldsOf({ title: 'Énorme', tags: ['À faire'], description: 'Café' });
    expect(search).toEqual({ title: 'enorme', tags: 'a faire', description: 'cafe' });
    expect(tagKeys).not.toBe('');
  });
});
