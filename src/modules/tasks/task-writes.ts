import type { Types } from 'mongoose';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import type { DomainEvent } from '../../contracts/event.js';
import {
  TaskCompletedEvent,
  TaskCreatedEvent,
  TaskDeletedEvent,
  TaskUpdatedEvent,
} from '../../contracts/tasks.events.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import type { CreateTaskDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import { attachmentPath } from './schemas/attachment.schema.js';
import { type DeletedTask, RESTORABLE_SECONDS } from './schemas/deleted-task.schema.js';
import type { FieldChange, TaskChange } from './schemas/task-change.schema.js';
import type { Task } from './schemas/task.schema.js';
import { fieldChanges, fieldsToChange, newTask } from './task-fields.js';
import { TaskNotFoundError } from './tasks.errors.js';

/**
 * What one transaction does to a user's tasks: each operation is applied, one after the other, to the tasks as they
 * were read, and leaves what there is to store. One that throws leaves nothing.
 */
export class TaskWrites {
  readonly deleted: DeletedTask[] = [];
  readonly history: Omit<TaskChange, '_id'>[] = [];
  readonly events: DomainEvent[] = [];
  /** Objects that may not be needed any more from then on. */
  readonly removals: { path: string[]; dueAt: Date }[] = [];
  /** Objects that are removed now, although their upload URLs may still work. */
  readonly uploadableRemovals: string[][] = [];
  /** The sizes in bytes of objects whose upload is allowed. */
  readonly uploads: { path: string[]; size: number }[] = [];
  private readonly current: Map<string, Task>;

  /** @param read the tasks that operations may be about */
  constructor(
    readonly user: Types.ObjectId,
    readonly read: readonly Task[],
  ) {
    this.current = new Map(read.map((task) => [String(task._id), task]));
  }

  /** What wasn't there before: new, or restored. */
  get created(): Task[] {
    const known = new Set(this.read.map(({ _id }) => String(_id)));
    return this.kept.filter(({ _id }) => !known.has(String(_id)));
  }

  /** What there is afterwards. */
  get kept(): Task[] {
    return [...this.current.values()];
  }

  get updated(): Task[] {
    return this.read.flatMap((before) => {
      const after = this.current.get(String(before._id));
      return after && after !== before ? [after] : [];
    });
  }

  create(input: CreateTaskDto): Task {
    const task = newTask(this.user, input);
    this.put(task);
    this.events.push(new TaskCreatedEvent(String(task._id), eventData(task)));
    if (task.status === 'done') this.events.push(completed(task));
    return task;
  }

  /** @throws TaskNotFoundError, VersionMismatchError */
  update(id: string, input: UpdateTaskDto, precondition: Precondition = 'any'): Task {
    return this.modify(id, (task) => fieldsToChange(task, input), precondition);
  }

  /**
   * @param fieldsOf what is to change of the task; nothing is fine, too
   * @throws TaskNotFoundError, VersionMismatchError
   */
  modify(id: string, fieldsOf: (task: Task) => Partial<Task>, precondition: Precondition = 'any'): Task {
    const before = this.get(id, precondition);
    const fields = fieldsOf(before);
    const changed = Object.keys(fields);
    if (changed.length === 0) return before;
    const after: Task = { ...before, ...fields, version: before.version + 1, updatedAt: databaseDate() };
    this.put(after);
    this.remember(after, fieldChanges(before, after));
    this.events.push(new TaskUpdatedEvent(id, { ...eventData(after), changed }));
    if (after.status === 'done' && before.status !== 'done') this.events.push(completed(after));
    return after;
  }

  /** @returns the task as it can be restored. @throws TaskNotFoundError, VersionMismatchError */
  delete(id: string, precondition: Precondition = 'any'): DeletedTask {
    const before = this.get(id, precondition);
    const deletedAt = databaseDate();
    const after: DeletedTask = { ...before, version: before.version + 1, updatedAt: deletedAt, deletedAt };
    this.current.delete(id);
    this.deleted.push(after);
    if (before.attachments?.length) {
      const dueAt = new Date(deletedAt.getTime() + RESTORABLE_SECONDS * 1000);
      this.removals.push({ path: attachmentPath(this.user, id), dueAt });
    }
    this.remember(after, [{ field: 'deletedAt', from: null, to: deletedAt.toISOString() }]);
    this.events.push(new TaskDeletedEvent(id, eventData(after)));
    return after;
  }

  restore({ deletedAt, ...before }: DeletedTask): Task {
    const task: Task = { ...before, version: before.version + 1, updatedAt: databaseDate() };
    this.put(task);
    this.remember(task, [{ field: 'deletedAt', from: deletedAt.toISOString(), to: null }]);
    this.events.push(new TaskUpdatedEvent(String(task._id), { ...eventData(task), changed: ['deletedAt'] }));
    return task;
  }

  private get(id: string, precondition: Precondition): Task {
    const task = this.current.get(id);
    if (!task) throw new TaskNotFoundError();
    assertMatches(precondition, task);
    return task;
  }

  private put(task: Task): void {
    this.current.set(String(task._id), task);
  }

  private remember(task: Task, changes: FieldChange[]): void {
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
