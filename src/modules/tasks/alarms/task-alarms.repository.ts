import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { ownedBy } from '../../../common/auth/access-scope.js';
import { dueAt } from '../../../platform/work/work.schema.js';
import { TaskAlarm } from '../schemas/task-alarm.schema.js';
import type { Task } from '../schemas/task.schema.js';
import { nextAlarmAt } from './pending-alarms.js';

/** Keeps one alarm for each task with a pending reminder or due date, in the transaction that changes the task. */
@Injectable()
export class TaskAlarmsRepository {
  constructor(@InjectModel(TaskAlarm.name) private readonly alarms: Model<TaskAlarm>) {}

  /**
   * Plans the alarm again after a change of its times; most changes don't concern them, and then this does nothing.
   *
   * @param before the tasks that were read
   * @param after what became of them, and new ones; those that are missing are deleted
   */
  async follow(before: readonly Task[], after: readonly Task[], tx: ClientSession): Promise<void> {
    const planned = new Map(before.map((task) => [String(task._id), nextAlarmAt(task)]));
    const wanted = new Map(after.map((task) => [String(task._id), nextAlarmAt(task)]));
    const touched = new Map([...before, ...after].map((task) => [String(task._id), task]));
    const moved = [...touched].filter(([id]) => planned.get(id)?.getTime() !== wanted.get(id)?.getTime());
    await this.write(
      moved.map(([id, task]) => [task, wanted.get(id) ?? null]),
      tx,
    );
  }

  /** Plans the next alarm of a task, or removes it where there is none. */
  async plan(task: Task, tx: ClientSession): Promise<void> {
    await this.write([[task, nextAlarmAt(task)]], tx);
  }

  async removeAll(userId: string, tx: ClientSession): Promise<void> {
    await this.alarms.deleteMany(ownedBy(userId).filter, { session: tx });
  }

  private async write(times: [Task, Date | null][], tx: ClientSession): Promise<void> {
    if (times.length === 0) return;
    await this.alarms.bulkWrite(
      times.map(([{ _id, user }, at]) =>
        at
          ? { updateOne: { filter: { _id, user }, update: { $set: dueAt(at) }, upsert: true } }
          : { deleteOne: { filter: { _id, user } } },
      ),
      { session: tx },
    );
  }
}
