import { DomainEvent } from './event.js';

/** What every event of a task says; `subject` is the task's id, `version` the task's after the change. */
export interface TaskEventData {
  userId: string;
  version: number;
  title: string;
}

export class TaskCreatedEvent extends DomainEvent<TaskEventData> {
  static readonly type = 'tasks.task-created.v1';
}

export class TaskUpdatedEvent extends DomainEvent<TaskEventData & { changed: string[] }> {
  static readonly type = 'tasks.task-updated.v1';
}

export class TaskCompletedEvent extends DomainEvent<TaskEventData & { completedAt: string }> {
  static readonly type = 'tasks.task-completed.v1';
}

export class TaskDeletedEvent extends DomainEvent<TaskEventData> {
  static readonly type = 'tasks.task-deleted.v1';
}
