import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model } from 'mongoose';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import { type ObjectOwner, OwnsObjects } from '../../platform/storage/object-removals.js';
import { type Attachment, ATTACHMENTS } from './schemas/attachment.schema.js';
import { DeletedTask, RESTORABLE_SECONDS } from './schemas/deleted-task.schema.js';
import { Task } from './schemas/task.schema.js';
import { TasksService } from './tasks.service.js';

/** Decides which objects of attachments may go, and gives up uploads that nobody completed. */
@OwnsObjects(ATTACHMENTS)
@Injectable()
export class TaskAttachmentCleanupService implements ObjectOwner {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    @InjectModel(DeletedTask.name) private readonly deletedTasks: Model<DeletedTask>,
    private readonly service: TasksService,
    private readonly transactions: Transactions,
  ) {}

  /** @param path user, task and attachment; without the last all of a task's, without the last two all of a user's */
  async isUnused([user = '', task, attachment]: string[]): Promise<boolean> {
    // Asked for when a user is erased.
    if (task === undefined) return true;
    if (attachment === undefined) return await this.isGone(user, task);
    await this.giveUp(user, task, attachment);
    const state = (await this.find(user, task, attachment))?.state;
    // It was moved by a deletion or restoration just now: the work is done again.
    if (state === 'pending') throw new Error('the upload could not be given up');
    return state === undefined;
  }

  /** Whether the task can't be restored any more either. */
  private async isGone(user: string, task: string): Promise<boolean> {
    const restorableSince = databaseDate(-RESTORABLE_SECONDS * 1000);
    // The TTL index may take its time.
    await this.deletedTasks.deleteOne({ _id: task, user, deletedAt: { $lte: restorableSince } });
    return (await this.inEither((model, tx) => model.exists({ _id: task, user }).session(tx))) === null;
  }

  /** Removes the attachment if it is pending still: nobody can complete it any more. */
  private async giveUp(user: string, task: string, attachment: string): Promise<void> {
    const pending = { $elemMatch: { id: attachment, state: 'pending' } };
    const found = { _id: task, user, attachments: pending };
    await this.deletedTasks.updateOne(found, { $pull: { attachments: { id: attachment } } });
    if (!(await this.tasks.exists(found))) return;
    await this.service.change(user, [task], (changes) => {
      changes.update(task, ({ attachments = [] }) => {
        const rest = attachments.filter(({ id, state }) => String(id) !== attachment || state !== 'pending');
        return rest.length === attachments.length ? {} : { attachments: rest };
      });
    });
  }

  private async find(user: string, task: string, attachment: string): Promise<Attachment | undefined> {
    const found = await this.inEither((model, tx) =>
      model.findOne({ _id: task, user }, { attachments: 1 }, { session: tx }).lean<Task>(),
    );
    return found?.attachments?.find(({ id }) => String(id) === attachment);
  }

  /** Asks for tasks and deleted tasks of one moment: what is being moved between them is in one of them. */
  private inEither<T>(ask: (model: Model<Task>, tx: ClientSession) => PromiseLike<T | null>): Promise<T | null> {
    return this.transactions.run(
      async (tx) => (await ask(this.tasks, tx)) ?? (await ask(this.deletedTasks as unknown as Model<Task>, tx)),
    );
  }
}
