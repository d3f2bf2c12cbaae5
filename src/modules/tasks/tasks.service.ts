import { Injectable } from '@nestjs/common';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import { databaseDate } from '../../platform/database/database-clock.js';
import { Transactions } from '../../platform/database/transactions.js';
import type { CreateTaskDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import type { DeletedTask } from './schemas/deleted-task.schema.js';
import { TaskChangeSet } from './task-change-set.js';
import { fieldsToChange, newTask } from './task-fields.js';
import { toTaskResponse } from './task.mapper.js';
import { TasksRepository } from './tasks.repository.js';

/** The rules of a user's tasks. Every change is one transaction with its history and events. */
@Injectable()
export class TasksService {
  constructor(
    private readonly repository: TasksRepository,
    private readonly transactions: Transactions,
  ) {}

  async create(userId: string, input: CreateTaskDto): Promise<TaskResponseDto> {
    const task = await this.change(userId, [], (changes) => changes.create(newTask(userId, input, changes.now)));
    return toTaskResponse(task);
  }

  /** @throws TaskNotFoundError */
  async get(userId: string, id: string): Promise<TaskResponseDto> {
    return toTaskResponse(await this.repository.get(userId, id));
  }

  /** @throws TaskNotFoundError, VersionMismatchError */
  async update(userId: string, id: string, input: UpdateTaskDto, precondition: Precondition): Promise<TaskResponseDto> {
    const task = await this.change(userId, [id], (changes) =>
      changes.update(id, (before) => fieldsToChange(before, input, changes.now), precondition),
    );
    return toTaskResponse(task);
  }

  /** @returns the task as it can be restored. @throws TaskNotFoundError, VersionMismatchError */
  async delete(userId: string, id: string, precondition: Precondition): Promise<DeletedTask> {
    return await this.change(userId, [id], (changes) => changes.delete(id, precondition));
  }

  /**
   * A task that isn't deleted stays as it is.
   *
   * @param precondition on the tag of the deleted task, as its deletion answered it
   * @throws TaskNotFoundError where it was deleted more than 30 days ago; VersionMismatchError
   */
  async restore(userId: string, id: string, precondition: Precondition): Promise<TaskResponseDto> {
    return await this.transactions.run(async (tx) => {
      const deleted = await this.repository.findRestorable(userId, id, tx);
      const found = deleted ?? (await this.repository.get(userId, id, tx));
      assertMatches(precondition, found);
      if (!deleted) return toTaskResponse(found);
      const changes = new TaskChangeSet(userId, [], databaseDate());
      const task = changes.restore(deleted);
      await this.repository.save(changes, tx);
      return toTaskResponse(task);
    });
  }

  /**
   * Any change of a user's tasks: reads them, has `work` change them, and saves the result, in one transaction.
   *
   * @param ids the tasks that `work` may name; a task of another user is not found
   * @param work may run more than once, so it must have no effects of its own
   * @returns what `work` returned
   */
  async change<T>(userId: string, ids: string[], work: (changes: TaskChangeSet) => T): Promise<T> {
    return await this.transactions.run(async (tx) => {
      const changes = new TaskChangeSet(userId, await this.repository.find(userId, ids, tx), databaseDate());
      const result = work(changes);
      await this.repository.save(changes, tx);
      return result;
    });
  }
}
