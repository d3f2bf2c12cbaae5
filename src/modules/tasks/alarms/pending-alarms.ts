import type { DomainEvent } from '../../../contracts/event.js';
import { TaskOverdueEvent, TaskReminderDueEvent } from '../../../contracts/tasks.events.js';
import { NO_DUE_DATE, type Task } from '../schemas/task.schema.js';

/** An event of a task that is published when its time has come. */
export interface PendingAlarm {
  at: Date;
  event: DomainEvent;
  /** Stored in the task with the publication, so that the same time isn't published twice. */
  mark: Pick<Task, 'remindedOf'> | Pick<Task, 'overdueOf'>;
}

/** The alarms of a task that have not been published: none once it is done or archived. */
export function pendingAlarms(task: Task): PendingAlarm[] {
  if (task.status === 'done' || task.status === 'archived') return [];
  const { _id, user, version, title, remindAt } = task;
  const dueDate = task.dueDate.getTime() === NO_DUE_DATE.getTime() ? null : task.dueDate;
  const data = { userId: String(user), version, title, dueDate: dueDate?.toISOString() ?? null };
  const alarms: PendingAlarm[] = [];
  if (remindAt && remindAt.getTime() !== task.remindedOf?.getTime()) {
    const event = new TaskReminderDueEvent(String(_id), { ...data, remindAt: remindAt.toISOString() });
    alarms.push({ at: remindAt, event, mark: { remindedOf: remindAt } });
  }
  if (dueDate && dueDate.getTime() !== task.overdueOf?.getTime()) {
    const event = new TaskOverdueEvent(String(_id), { ...data, dueDate: dueDate.toISOString() });
    alarms.push({ at: dueDate, event, mark: { overdueOf: dueDate } });
  }
  return alarms;
}

/** When the next of them is due; null where there is none. */
export function nextAlarmAt(task: Task): Date | null {
  const [first] = pendingAlarms(task)
    .map(({ at }) => at)
    .sort((a, b) => a.getTime() - b.getTime());
  return first ?? null;
}
