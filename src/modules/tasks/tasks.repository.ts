import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { ClientSession, Model } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { ObjectRemovals } from '../../platform/storage/object-removals.js';
import { StorageQuota } from '../../platform/storage/storage-quota.js';
import { TaskAlarmsRepository } from './alarms/task-alarms.repository.js';
import { DeletedTask, RESTORABLE_SECONDS } from './schemas/deleted-task.schema.js';
import { TaskChange } from './schemas/task-change.schema.js';
import { Task } from './schemas/task.schema.js';
import type { TaskChangeSet } from './task-change-set.js';
import { indexedFieldsOf } from './task-fields.js';
import { TaskNotFoundError } from './tasks.errors.js';

/** Reads single tasks of a user, and saves what a transaction changes of them. */
@Injectable()
export class TasksRepository {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    @InjectModel(DeletedTask.name) private readonly deletedTasks: Model<DeletedTask>,
    @InjectModel(TaskChange.name) private readonly history: Model<TaskChange>,
    private readonly outbox: Outbox,
    private readonly alarms: TaskAlarmsRepository,
    private readonly removals: ObjectRemovals,
    private readonly quota: StorageQuota,
  ) {}

  /** @throws TaskNotFoundError */
  async get(userId: string, id: string, tx?: ClientSession): Promise<Task> {
    const task = await this.tasks.findOne({ _id: id, ...ownedBy(userId).filter }, null, { session: tx }).lean<Task>();
    if (!task) throw new TaskNotFoundError();
    return task;
  }

  /** @returns the tasks that the user has of these, in any order */
  async find(userId: string, ids: string[], tx: ClientSession): Promise<Task[]> {
    if (ids.length === 0) return [];
    return await this.tasks
      .find({ _id: { $in: ids }, ...ownedBy(userId).filter }, null, { session: tx })
      .lean<Task[]>();
  }

  /** @returns the deleted task; null where there is none, or where it was deleted more than 30 days ago */
  async findRestorable(userId: string, id: string, tx: ClientSession): Promise<DeletedTask | null> {
    const since = databaseDate(-RESTORABLE_SECONDS * 1000);
    return await this.deletedTasks
      .findOne({ _id: id, ...ownedBy(userId).filter, deletedAt: { $gt: since } }, null, { session: tx })
      .lean<DeletedTask>();
  }

  /** A statement for each collection, however many tasks there are. */
  async save(changes: TaskChangeSet, tx: ClientSession): Promise<void> {
    const { user, read, current, inserted, updated, deleted, restored, history, events } = changes;
    const stored = (task: Task): Task => ({ ...task, ...indexedFieldsOf(task) });
    // First: here restorations of the same task conflict, so that all but one are repeated; on insertion they would fail.
    if (restored.length > 0) {
      await this.deletedTasks.deleteMany({ _id: { $in: idsOf(restored) }, user }, { session: tx });
      const ofRestored = { user, task: { $in: idsOf(restored) } };
      await this.history.updateMany(ofRestored, { $set: { deletedAt: null } }, { session: tx });
    }
    if (inserted.length > 0) await this.tasks.insertMany(inserted.map(stored), { session: tx });
    if (updated.length > 0) {
      const updates = updated.map((task) => ({
        updateOne: { filter: { _id: task._id, user }, update: { $set: stored(task) } },
      }));
      await this.tasks.bulkWrite(updates, { session: tx });
    }
    if (history.length > 0) await this.history.insertMany(history, { session: tx });
    if (deleted.length > 0) {
      await this.tasks.deleteMany({ _id: { $in: idsOf(deleted) }, user }, { session: tx });
      await this.deletedTasks.insertMany(deleted, { session: tx });
      const ends = deleted.map(({ _id, deletedAt }) => ({
        updateMany: { filter: { user, task: _id }, update: { $set: { deletedAt } } },
      }));
      await this.history.bulkWrite(ends, { session: tx });
    }
    await this.alarms.follow(read, current, tx);
    for (const { path, size } of changes.uploads) await this.quota.reserve(path, size, tx);
    for (const { path, dueAt } of changes.removals) await this.removals.add(path, dueAt, tx);
    for (const path of changes.uploadableRemovals) await this.removals.addUploadable(path, tx);
    if (events.length > 0) await this.outbox.add(events, tx);
  }
}

function idsOf(tasks: Task[]): Task['_id'][] {
  return tasks.map(({ _id }) => _id);
}
