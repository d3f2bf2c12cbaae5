import { Types } from 'mongoose';
import { NO_DUE_DATE, type Task } from '../schemas/task.schema.js';
import { nextAlarmAt, pendingAlarms } from './pending-alarms.js';

const earlier = new Date('2026-03-01T09:00:00.000Z');
const later = new Date('2026-03-01T17:00:00.000Z');

function taskWith(fields: Partial<Task>): Task {
  return {
    _id: new Types.ObjectId(),
    user: new Types.ObjectId(),
    title: 'Write the report',
    status: 'todo',
    dueDate: NO_DUE_DATE,
    remindAt: null,
    remindedOf: null,
    overdueOf: null,
    version: 3,
    ...fields,
  } as Task;
}

const typesOf = (task: Task) => pendingAlarms(task).map(({ event }) => event.type);

describe('the pending alarms of a task', () => {
  it('is nothing where it has no times', () => {
    expect(pendingAlarms(taskWith({}))).toEqual([]);
    expect(nextAlarmAt(taskWith({}))).toBeNull();
  });

  it('is its reminder and its due date, with what they were', () => {
    const task = taskWith({ remindAt: earlier, dueDate: later });
    expect(pendingAlarms(task).map(({ at, event }) => [at, event.type, event.subject, event.data])).toEqual([
      [earlier, 'tasks.task-reminder-due.v1', String(task._id), data(task, { remindAt: earlier.toISOString() })],
      [later, 'tasks.task-overdue.v1', String(task._id), data(task, {})],
    ]);
  });

  it('comes first what is due first', () => {
    expect(nextAlarmAt(taskWith({ remindAt: earlier, dueDate: later }))).toEqual(earlier);
    expect(nextAlarmAt(taskWith({ remindAt: later, dueDate: earlier }))).toEqual(earlier);
  });

  it.each(['done', 'archived'] as const)('is nothing while it is %s', (status) => {
    expect(pendingAlarms(taskWith({ status, remindAt: earlier, dueDate: later }))).toEqual([]);
  });

  it('leaves out what was published, until the time changes', () => {
    const marks = { remindedOf: earlier, overdueOf: later };
    expect(typesOf(taskWith({ ...marks, remindAt: earlier, dueDate: later }))).toEqual([]);
    expect(typesOf(taskWith({ ...marks, remindAt: later, dueDate: later }))).toEqual(['tasks.task-reminder-due.v1']);
    expect(typesOf(taskWith({ ...marks, remindAt: earlier, dueDate: earlier }))).toEqual(['tasks.task-overdue.v1']);
  });
});

function data({ user, version, title, dueDate }: Task, more: object) {
  return { userId: String(user), version, title, dueDate: dueDate.toISOString(), ...more };
}
