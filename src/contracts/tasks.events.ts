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

/** The time of a reminder has come, and the task is neither done nor archived; published once for each time that is set. */
export class TaskReminderDueEvent extends DomainEvent<TaskEventData & { remindAt: string; dueDate: string | null }> {
  static readonly type = 'tasks.task-reminder-due.v1';
}

/** The due date has passed, and the task is neither done nor archived; published once for each date that is set. */
export class TaskOverdueEvent extends DomainEvent<TaskEventData & { dueDate: string }> {
  static readonly type = 'tasks.task-overdue.v1';
}

export class TaskDeletedEvent extends DomainEvent<TaskEventData> {
  static readonly type = 'tasks.task-deleted.v1';
}
