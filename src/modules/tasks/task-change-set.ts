import { Types } from 'mongoose';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import type { DomainEvent } from '../../contracts/event.js';
import {
  TaskCompletedEvent,
  TaskCreatedEvent,
  TaskDeletedEvent,
  TaskUpdatedEvent,
} from '../../contracts/tasks.events.js';
import { attachmentPath } from './schemas/attachment.schema.js';
import { type DeletedTask, RESTORABLE_SECONDS } from './schemas/deleted-task.schema.js';
import type { FieldChange, TaskChange } from './schemas/task-change.schema.js';
import type { Task } from './schemas/task.schema.js';
import { fieldChanges } from './task-fields.js';
import { TaskNotFoundError } from './tasks.errors.js';

/**
 * The changes that one transaction makes to a user's tasks, with the history, the events and the work on files that follow
 * from them. It does no I/O: `TasksRepository` reads the tasks before and saves the change set afterwards. Operations apply
 * one after the other; one that throws changes nothing.
 */
export class TaskChangeSet {
  readonly user: Types.ObjectId;
  readonly deleted: DeletedTask[] = [];
  readonly restored: Task[] = [];
  readonly history: Omit<TaskChange, '_id'>[] = [];
  readonly events: DomainEvent[] = [];
  /** Objects that may be unneeded from `dueAt` on. */
  readonly removals: { path: string[]; dueAt: Date }[] = [];
  /** Objects to remove now, although their upload URLs may still work. */
  readonly uploadableRemovals: string[][] = [];
  /** Objects whose upload is allowed, with their sizes in bytes. */
  readonly uploads: { path: string[]; size: number }[] = [];
  private readonly tasks: Map<string, Task>;

  /**
   * @param read the tasks that operations may name
   * @param now the time of all changes, by the database's clock
   */
  constructor(
    userId: string,
    readonly read: readonly Task[],
    readonly now: Date,
  ) {
    this.user = new Types.ObjectId(userId);
    this.tasks = new Map(read.map((task) => [String(task._id), task]));
  }

  /** The tasks as they are after the changes, without the deleted ones. */
  get current(): Task[] {
    return [...this.tasks.values()];
  }

  /** Tasks that are new in the collection: created, or restored. */
  get inserted(): Task[] {
    const known = new Set(this.read.map(({ _id }) => String(_id)));
    return this.current.filter(({ _id }) => !known.has(String(_id)));
  }

  get updated(): Task[] {
    return this.read.flatMap((before) => {
      const after = this.tasks.get(String(before._id));
      return after && after !== before ? [after] : [];
    });
  }

  create(task: Task): Task {
    this.put(task);
    this.events.push(new TaskCreatedEvent(String(task._id), eventData(task)));
    if (task.status === 'done') this.events.push(completed(task));
    return task;
  }

  /**
   * @param fieldsToChange gives the fields that get another value; a task stays as it is where there are none
   * @throws TaskNotFoundError, VersionMismatchError, and what `fieldsToChange` throws
   */
  update(id: string, fieldsToChange: (task: Task) => Partial<Task>, precondition: Precondition = 'any'): Task {
    const before = this.get(id, precondition);
    const fields = fieldsToChange(before);
    const changed = Object.keys(fields);
    if (changed.length === 0) return before;
    const after: Task = { ...before, ...fields, version: before.version + 1, updatedAt: this.now };
    this.put(after);
    this.addToHistory(after, fieldChanges(before, after));
    this.events.push(new TaskUpdatedEvent(id, { ...eventData(after), changed }));
    if (after.status === 'done' && before.status !== 'done') this.events.push(completed(after));
    return after;
  }

  /** @returns the deleted task, as it can be restored. @throws TaskNotFoundError, VersionMismatchError */
  delete(id: string, precondition: Precondition = 'any'): DeletedTask {
    const before = this.get(id, precondition);
    const deletedAt = this.now;
    const after: DeletedTask = { ...before, version: before.version + 1, updatedAt: deletedAt, deletedAt };
    this.tasks.delete(id);
    this.deleted.push(after);
    if (before.attachments?.length) {
      const dueAt = new Date(deletedAt.getTime() + RESTORABLE_SECONDS * 1000);
      this.removals.push({ path: attachmentPath(this.user, id), dueAt });
    }
    this.addToHistory(after, [{ field: 'deletedAt', from: null, to: deletedAt.toISOString() }]);
    this.events.push(new TaskDeletedEvent(id, eventData(after)));
    return after;
  }

  restore({ deletedAt, ...before }: DeletedTask): Task {
    const task: Task = { ...before, version: before.version + 1, updatedAt: this.now };
    this.put(task);
    this.restored.push(task);
    this.addToHistory(task, [{ field: 'deletedAt', from: deletedAt.toISOString(), to: null }]);
    this.events.push(new TaskUpdatedEvent(String(task._id), { ...eventData(task), changed: ['deletedAt'] }));
    return task;
  }

  private get(id: string, precondition: Precondition): Task {
    const task = this.tasks.get(id);
    if (!task) throw new TaskNotFoundError();
    assertMatches(precondition, task);
    return task;
  }

  private put(task: Task): void {
    this.tasks.set(String(task._id), task);
  }

  private addToHistory(task: Task, changes: FieldChange[]): void {
    const { _id, user, version, updatedAt } = task;
    this.history.push({ user, task: _id, version, at: updatedAt, actor: user, changes, deletedAt: null });
  }
}

function eventData({ user, version, title }: Task) {
  return { userId: String(user), version, title };
}

function completed(task: Task): TaskCompletedEvent {
  const completedAt = (task.completedAt as Date).toISOString();
  return new TaskCompletedEvent(String(task._id), { ...eventData(task), completedAt });
}
