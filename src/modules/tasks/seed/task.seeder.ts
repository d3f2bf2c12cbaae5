import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, Types } from 'mongoose';
import { isDuplicateKey } from '../../../platform/database/duplicate-key.js';
import { Task } from '../schemas/task.schema.js';
import { randomOf } from './random.js';
import { seededTask } from './seeded-task.js';

const BATCH = 1000;
/** Batches under way at once: while the database works on one, the next is made. */
const CONCURRENCY = 2;

export interface TaskSeed {
  users: readonly Types.ObjectId[];
  tasks: number;
  /** How many of them the first user has; the others share the rest, some having far more than others. */
  tasksOfFirstUser: number;
}

/** Fills the database with tasks for trials and measurements. */
@Injectable()
export class TaskSeeder {
  constructor(@InjectModel(Task.name) private readonly tasks: Model<Task>) {}

  /**
   * Goes on where an earlier call with the same numbers was cut short: a task's id tells its place. Writes tasks alone,
   * without events, history or alarms.
   *
   * @param report gets how many there are, from time to time
   */
  async seed(plan: TaskSeed, report: (count: number) => void): Promise<void> {
    const now = Date.now();
    const first = Math.max(0, (await this.countSeeded()) - CONCURRENCY * BATCH);
    let next = first;
    let count = first;
    const work = async (): Promise<void> => {
      while (next < plan.tasks) {
        const from = next;
        next = Math.min(from + BATCH, plan.tasks);
        const size = next - from;
        await this.insert(Array.from({ length: size }, (_, index) => taskAt(from + index, plan, now)));
        report((count += size));
      }
    };
    await Promise.all(Array.from({ length: CONCURRENCY }, work));
  }

  /** How many places are taken; some of the last batches may be missing. */
  private async countSeeded(): Promise<number> {
    const last = await this.tasks
      .findOne({ _id: { $gte: idOf(0), $lte: idOf(MAX_INDEX) } }, { _id: 1 })
      .sort({ _id: -1 })
      .lean();
    return last ? parseInt(String(last._id).slice(-INDEX_DIGITS), 16) + 1 : 0;
  }

  /** Existing ones are not changed. */
  private async insert(tasks: Task[]): Promise<void> {
    try {
      await this.tasks.collection.insertMany(tasks, { ordered: false });
    } catch (error) {
      const { writeErrors = error } = error as { writeErrors?: unknown };
      if (![writeErrors].flat().every(isDuplicateKey)) throw error;
    }
  }
}

const INDEX_DIGITS = 8;
const MAX_INDEX = 16 ** INDEX_DIGITS - 1;
/** "seed", "task" */
const PREFIX = '5eed00007461736b';

function idOf(index: number): Types.ObjectId {
  return new Types.ObjectId(PREFIX + index.toString(16).padStart(INDEX_DIGITS, '0'));
}

function taskAt(index: number, { users, tasksOfFirstUser }: TaskSeed, now: number): Task {
  const [first, ...others] = users as [Types.ObjectId, ...Types.ObjectId[]];
  const isFirst = index < tasksOfFirstUser || others.length === 0;
  const owner = others[Math.floor(randomOf(-index).number() ** 1.5 * others.length)];
  return seededTask(idOf(index), isFirst ? first : (owner as Types.ObjectId), index, now);
}
