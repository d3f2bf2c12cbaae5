import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { databaseNow } from '../../../platform/database/database-clock.js';
import { Transactions } from '../../../platform/database/transactions.js';
import { Outbox } from '../../../platform/messaging/outbox.js';
import { WorkHandler } from '../../../platform/work/work-handler.decorator.js';
import { TaskAlarm } from '../schemas/task-alarm.schema.js';
import { Task } from '../schemas/task.schema.js';
import { pendingAlarms } from './pending-alarms.js';
import { TaskAlarmsRepository } from './task-alarms.repository.js';

const CONCURRENCY = 8;
const MAX_ATTEMPTS = 20;
/** How late an alarm gets whose process died with it. Too short does no harm: a second ring finds nothing to tell. */
const LEASE_MS = 15_000;
const POLL_MS = 1_000;

/**
 * Publishes reminders and due dates when their time has come. The event, its mark in the task and the next alarm are one
 * transaction, so each time is published once; late, if no process was running.
 */
@Injectable()
export class AlarmClock {
  constructor(
    @InjectModel(TaskAlarm.name) private readonly alarms: Model<TaskAlarm>,
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    private readonly planning: TaskAlarmsRepository,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
  ) {}

  @WorkHandler({
    queue: 'task-alarms',
    items: TaskAlarm,
    concurrency: CONCURRENCY,
    maxAttempts: MAX_ATTEMPTS,
    whenDone: 'leave',
    leaseMs: LEASE_MS,
    // A task that is changed here may be due at once, and does not nudge.
    pollMs: POLL_MS,
    fairBetween: 'user',
  })
  async ring({ _id, user, lease }: TaskAlarm): Promise<void> {
    await this.transactions.run(async (tx) => {
      // Planned again since it was claimed, or claimed by another process: then this process doesn't publish it.
      if (!(await this.alarms.exists({ _id, user, lease }).session(tx))) return;
      const task = await this.tasks.findOne({ _id, user }, null, { session: tx }).lean<Task>();
      if (!task) {
        await this.alarms.deleteOne({ _id, user }, { session: tx });
        return;
      }
      const due = pendingAlarms(task).filter(({ at }) => at.getTime() <= databaseNow());
      const marks = due.reduce<Partial<Task>>((all, { mark }) => ({ ...all, ...mark }), {});
      if (due.length > 0) {
        // Not a change of the user's: version and ETag stay. It collides with one that is made at the same time.
        await this.tasks.updateOne({ _id, user }, { $set: marks }, { session: tx });
        await this.outbox.add(
          due.map(({ event }) => event),
          tx,
        );
      }
      await this.planning.plan({ ...task, ...marks }, tx);
    });
  }
}
