import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import {
  ExportsPersonalData,
  PersonalData,
  type PersonalDataSource,
  rowsOf,
} from '../../platform/personal-data/personal-data.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { ObjectRemovals } from '../../platform/storage/object-removals.js';
import { attachmentPath } from './schemas/attachment.schema.js';
import { DeletedTask } from './schemas/deleted-task.schema.js';
import { TaskChange } from './schemas/task-change.schema.js';
import { TaskAlarmsRepository } from './alarms/task-alarms.repository.js';
import { TaskOwner } from './schemas/task-owner.schema.js';
import { Task } from './schemas/task.schema.js';
import { toTaskChangeResponse, toTaskResponse } from './task.mapper.js';

/** What this module knows of users, and how it forgets them. */
@ExportsPersonalData('tasks')
@Injectable()
export class TaskOwnersService implements PersonalDataSource {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    @InjectModel(DeletedTask.name) private readonly deletedTasks: Model<DeletedTask>,
    @InjectModel(TaskChange.name) private readonly history: Model<TaskChange>,
    @InjectModel(TaskOwner.name) private readonly owners: Model<TaskOwner>,
    private readonly alarms: TaskAlarmsRepository,
    private readonly personalData: PersonalData,
    private readonly removals: ObjectRemovals,
  ) {}

  /** Takes over a newer time zone; an older one is ignored. */
  async copyTimezone(userId: string, timezone: string, profileVersion: number, tx: ClientSession): Promise<void> {
    if (await this.personalData.isErased(userId, tx)) return;
    const _id = new Types.ObjectId(userId);
    const known = await this.owners.findById(_id, null, { session: tx }).lean();
    if (known && known.profileVersion >= profileVersion) return;
    await this.owners.updateOne({ _id }, { $set: { timezone, profileVersion } }, { session: tx, upsert: true });
  }

  /** @returns the IANA name of the user's time zone; null where it hasn't been copied */
  async findTimezone(userId: string): Promise<string | null> {
    const owner = await this.owners.findById(userId, { timezone: 1 }).lean();
    return owner?.timezone ?? null;
  }

  async erase(userId: string, tx: ClientSession): Promise<void> {
    await this.erasePersonalData(userId, tx);
    await this.personalData.markErased(userId, tx);
  }

  async erasePersonalData(userId: string, tx: ClientSession): Promise<void> {
    await this.tasks.deleteMany(ownedBy(userId).filter, { session: tx });
    await this.deletedTasks.deleteMany(ownedBy(userId).filter, { session: tx });
    await this.history.deleteMany(ownedBy(userId).filter, { session: tx });
    await this.alarms.removeAll(userId, tx);
    await this.owners.deleteOne({ _id: userId }, { session: tx });
    await this.removals.add(attachmentPath(userId), databaseDate(), tx);
  }

  async exportPersonalData(userId: string): Promise<unknown> {
    const own = ownedBy(userId).filter;
    const owner = await this.owners.findById(userId).lean();
    return {
      timezone: owner?.timezone ?? null,
      tasks: rowsOf(this.tasks.find(own).sort({ createdAt: 1, _id: 1 }).lean<Task[]>(), toTaskResponse),
      deletedTasks: rowsOf(this.deletedTasks.find(own).lean<DeletedTask[]>(), (task) => ({
        ...toTaskResponse(task),
        deletedAt: task.deletedAt.toISOString(),
      })),
      history: rowsOf(this.history.find(own).sort({ task: 1, version: 1 }).lean<TaskChange[]>(), (change) => ({
        taskId: String(change.task),
        ...toTaskChangeResponse(change),
      })),
    };
  }
}
