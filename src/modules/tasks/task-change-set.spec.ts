import { Types } from 'mongoose';
import { VersionMismatchError } from '../../common/errors/problem.js';
import { preconditionOf } from '../../common/http/etag.js';
import type { Attachment } from './schemas/attachment.schema.js';
import type { Task } from './schemas/task.schema.js';
import { TaskChangeSet } from './task-change-set.js';
import { newTask } from './task-fields.js';
import { TaskNotFoundError } from './tasks.errors.js';

const user = String(new Types.ObjectId());
const created = new Date('2035-01-15T09:00:00.000Z');
const now = new Date('2035-01-16T09:00:00.000Z');
const MONTH_MS = 30 * 24 * 3_600_000;
const done = { status: 'done', completedAt: now } as const;

function stored(fields: Partial<Task> = {}): Task {
  return { ...newTask(user, { title: 'Write the report' }, created), ...fields };
}

function changesOf(...tasks: Task[]): TaskChangeSet {
  return new TaskChangeSet(user, tasks, now);
}

const typesOf = ({ events }: TaskChangeSet) => events.map(({ type }) => type);
const idOf = (task: Task) => String(task._id);

/** All that there is to store of a change set, beside the tasks that stay. */
function effectsOf({ inserted, updated, deleted, restored, history, events, removals }: TaskChangeSet): unknown[] {
  return [inserted, updated, deleted, restored, history, events, removals].flat();
}

describe('a created task', () => {
  it('is inserted and published, and has no history', () => {
    const changes = changesOf();
    const task = changes.create(stored());
    expect(changes.inserted).toEqual([task]);
    expect(changes.events).toMatchObject([
      {
        type: 'tasks.task-created.v1',
        subject: idOf(task),
        data: { userId: user, version: 1, title: 'Write the report' },
      },
    ]);
    expect(changes.history).toEqual([]);
  });

  it('is published as completed, too, where it is done from the beginning', () => {
    const changes = changesOf();
    changes.create(stored({ status: 'done', completedAt: created }));
    expect(typesOf(changes)).toEqual(['tasks.task-created.v1', 'tasks.task-completed.v1']);
  });
});

describe('an updated task', () => {
  it('has a new version, a line of history, and an event that names the fields', () => {
    const before = stored();
    const changes = changesOf(before);
    const after = changes.update(idOf(before), () => ({ title: 'Send it', priority: 3 }));
    expect(after).toEqual({ ...before, title: 'Send it', priority: 3, version: 2, updatedAt: now });
    expect(changes.updated).toEqual([after]);
    expect(changes.inserted).toEqual([]);
    expect(changes.events).toMatchObject([
      { type: 'tasks.task-updated.v1', data: { version: 2, title: 'Send it', changed: ['title', 'priority'] } },
    ]);
    expect(changes.history).toEqual([
      {
        user: before.user,
        task: before._id,
        version: 2,
        at: now,
        actor: before.user,
        changes: [
          { field: 'title', from: 'Write the report', to: 'Send it' },
          { field: 'priority', from: 'medium', to: 'urgent' },
        ],
        deletedAt: null,
      },
    ]);
  });

  it('stays as it is where no field changes', () => {
    const before = stored();
    const changes = changesOf(before);
    expect(changes.update(idOf(before), () => ({}))).toBe(before);
    expect(effectsOf(changes)).toEqual([]);
  });

  it('is published as completed when it becomes done, and not again', () => {
    const task = stored();
    const changes = changesOf(task);
    changes.update(idOf(task), () => done);
    changes.update(idOf(task), () => ({ title: 'Done' }));
    expect(typesOf(changes)).toEqual(['tasks.task-updated.v1', 'tasks.task-completed.v1', 'tasks.task-updated.v1']);
    expect(changes.events[1]).toMatchObject({ data: { version: 2, completedAt: now.toISOString() } });
  });

  it('is stored once, as the last of several updates left it', () => {
    const task = stored();
    const changes = changesOf(task);
    changes.update(idOf(task), () => ({ title: 'First' }));
    changes.update(idOf(task), () => ({ title: 'Second' }));
    expect(changes.updated).toMatchObject([{ title: 'Second', version: 3 }]);
    expect(changes.history.map(({ version }) => version)).toEqual([2, 3]);
  });
});

describe('a deleted task', () => {
  it('is moved, with a line of history and an event', () => {
    const task = stored();
    const changes = changesOf(task);
    const deleted = changes.delete(idOf(task));
    expect(deleted).toEqual({ ...task, version: 2, updatedAt: now, deletedAt: now });
    expect(changes.deleted).toEqual([deleted]);
    expect(changes.current).toEqual([]);
    expect(changes.updated).toEqual([]);
    expect(changes.history).toMatchObject([
      { version: 2, changes: [{ field: 'deletedAt', from: null, to: now.toISOString() }] },
    ]);
    expect(typesOf(changes)).toEqual(['tasks.task-deleted.v1']);
    expect(changes.removals).toEqual([]);
  });

  it('keeps its files for as long as it can be restored', () => {
    const attachment = { id: new Types.ObjectId(), state: 'complete' } as Attachment;
    const task = stored({ attachments: [attachment] });
    const changes = changesOf(task);
    changes.delete(idOf(task));
    expect(changes.removals).toMatchObject([{ dueAt: new Date(now.getTime() + MONTH_MS) }]);
    expect(changes.removals[0]?.path.slice(-2)).toEqual([user, idOf(task)]);
  });

  it('is not found by a later operation', () => {
    const task = stored();
    const changes = changesOf(task);
    changes.delete(idOf(task));
    expect(() => changes.update(idOf(task), () => done)).toThrow(TaskNotFoundError);
    expect(() => changes.delete(idOf(task))).toThrow(TaskNotFoundError);
  });
});

describe('a restored task', () => {
  it('is inserted with a new version, a line of history, and an event', () => {
    const before = stored({ version: 2 });
    const changes = changesOf();
    const task = changes.restore({ ...before, deletedAt: created });
    expect(task).toEqual({ ...before, version: 3, updatedAt: now });
    expect(changes.inserted).toEqual([task]);
    expect(changes.restored).toEqual([task]);
    expect(changes.history).toMatchObject([
      { version: 3, changes: [{ field: 'deletedAt', from: created.toISOString(), to: null }] },
    ]);
    expect(changes.events).toMatchObject([{ type: 'tasks.task-updated.v1', data: { changed: ['deletedAt'] } }]);
  });
});

describe('an operation that fails', () => {
  const task = stored();
  const current = preconditionOf({ 'if-match': '"1"' });
  const outdated = preconditionOf({ 'if-match': '"7"' });

  it.each<[string, (changes: TaskChangeSet) => unknown, new () => Error]>([
    ['an update of an unknown task', (changes) => changes.update(user, () => done), TaskNotFoundError],
    ['a deletion of an unknown task', (changes) => changes.delete(user), TaskNotFoundError],
    [
      'an update of another version',
      (changes) => changes.update(idOf(task), () => done, outdated),
      VersionMismatchError,
    ],
    ['a deletion of another version', (changes) => changes.delete(idOf(task), outdated), VersionMismatchError],
  ])('changes nothing: %s', (_, operation, error) => {
    const changes = changesOf(task);
    expect(() => operation(changes)).toThrow(error);
    expect(effectsOf(changes)).toEqual([]);
  });

  it('is none where the precondition names the current version', () => {
    expect(changesOf(task).update(idOf(task), () => done, current)).toMatchObject({ version: 2 });
  });
});
