import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import { TaskAlarms } from './alarms/task-alarms.js';
import { ObjectRemovals } from '../../platform/storage/object-removals.js';
import { StorageQuota } from '../../platform/storage/storage-quota.js';
import { DeletedTask, RESTORABLE_SECONDS } from './schemas/deleted-task.schema.js';
import { TaskChange } from './schemas/task-change.schema.js';
import { Task } from './schemas/task.schema.js';
import { indexedFieldsOf } from './task-fields.js';
import { TaskWrites } from './task-writes.js';
import { TaskNotFoundError } from './tasks.errors.js';

/** Reads tasks to change, and stores what was done to them with its history and events. */
@Injectable()
export class TaskStore {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    @InjectModel(DeletedTask.name) private readonly deletedTasks: Model<DeletedTask>,
    @InjectModel(TaskChange.name) private readonly history: Model<TaskChange>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly alarms: TaskAlarms,
    private readonly removals: ObjectRemovals,
    private readonly quota: StorageQuota,
  ) {}

  /** @throws TaskNotFoundError */
  async get(userId: string, id: string): Promise<Task> {
    const task = await this.tasks.findOne({ _id: id, user: userId }).lean<Task>();
    if (!task) throw new TaskNotFoundError();
    return task;
  }

  /**
   * One transaction.
   *
   * @param ids the tasks that `work` may be about; those of others are left out
   */
  change<T>(userId: string, ids: string[], work: (writes: TaskWrites) => T): Promise<T> {
    return this.transact(userId, async (user, session) => {
      const read =
        ids.length > 0 ? await this.tasks.find({ _id: { $in: ids }, user }, null, { session }).lean<Task[]>() : [];
      const writes = new TaskWrites(user, read);
      const result = work(writes);
      await this.store(writes, session);
      return result;
    });
  }

  /**
   * A task that isn't deleted stays as it is.
   *
   * @param precondition on the tag of the deleted task, as its deletion answered it
   * @throws TaskNotFoundError where it was deleted too long ago; VersionMismatchError
   */
  restore(userId: string, id: string, precondition: Precondition): Promise<Task> {
    return this.transact(userId, async (user, session) => {
      const since = databaseDate(-RESTORABLE_SECONDS * 1000);
      const deleted = await this.deletedTasks
        .findOneAndDelete({ _id: id, user, deletedAt: { $gt: since } }, { session })
        .lean<DeletedTask>();
      if (!deleted) {
        const task = await this.tasks.findOne({ _id: id, user }, null, { session }).lean<Task>();
        if (!task) throw new TaskNotFoundError();
        assertMatches(precondition, task);
        return task;
      }
      assertMatches(precondition, deleted);
      const writes = new TaskWrites(user, []);
      const task = writes.restore(deleted);
      await this.history.updateMany({ user, task: task._id }, { $set: { deletedAt: null } }, { session });
      await this.store(writes, session);
      return task;
    });
  }

  private transact<T>(userId: string, work: (user: Types.ObjectId, session: ClientSession) => Promise<T>): Promise<T> {
    return this.transactions.run((session) => work(new Types.ObjectId(userId), session));
  }

  /** A statement a collection, however many tasks there are. */
  private async store(writes: TaskWrites, session: ClientSession): Promise<void> {
    const { user, read, kept, created, updated, deleted, history, events, removals } = writes;
    const stored = (task: Task): Task => ({ ...task, ...indexedFieldsOf(task) });
    if (created.length > 0) await this.tasks.insertMany(created.map(stored), { session });
    if (updated.length > 0) {
      const updates = updated.map((task) => ({
        updateOne: { filter: { _id: task._id, user }, update: { $set: stored(task) } },
      }));
      await this.tasks.bulkWrite(updates, { session });
    }
    if (history.length > 0) await this.history.insertMany(history, { session });
    if (deleted.length > 0) {
      await this.tasks.deleteMany({ _id: { $in: deleted.map(({ _id }) => _id) }, user }, { session });
      await this.deletedTasks.insertMany(deleted, { session });
      const ends = deleted.map(({ _id, deletedAt }) => ({
        updateMany: { filter: { user, task: _id }, update: { $set: { deletedAt } } },
      }));
      await this.history.bulkWrite(ends, { session });
    }
    await this.alarms.follow(read, kept, session);
    for (const { path, size } of writes.uploads) await this.quota.reserve(session, path, size);
    for (const { path, dueAt } of removals) await this.removals.add(session, path, dueAt);
    for (const path of writes.uploadableRemovals) await this.removals.addUploadable(session, path);
    if (events.length > 0) await this.outbox.add(session, ...events);
  }
}
