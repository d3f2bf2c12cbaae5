import { Injectable } from '@nestjs/common';
import type { Precondition } from '../../common/http/etag.js';
import type { CreateTaskDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import type { DeletedTask } from './schemas/deleted-task.schema.js';
import { toTaskResponse } from './task.mapper.js';
import { TaskStore } from './task-store.js';

/** One task at a time; every change is one transaction with its history and events. */
@Injectable()
export class TasksService {
  constructor(private readonly store: TaskStore) {}

  async create(userId: string, input: CreateTaskDto): Promise<TaskResponseDto> {
    return toTaskResponse(await this.store.change(userId, [], (tasks) => tasks.create(input)));
  }

  /** @throws TaskNotFoundError */
  async get(userId: string, id: string): Promise<TaskResponseDto> {
    return toTaskResponse(await this.store.get(userId, id));
  }

  /** @throws TaskNotFoundError, VersionMismatchError */
  async update(userId: string, id: string, input: UpdateTaskDto, precondition: Precondition): Promise<TaskResponseDto> {
    return toTaskResponse(await this.store.change(userId, [id], (tasks) => tasks.update(id, input, precondition)));
  }

  /** @returns the task as it can be restored. @throws TaskNotFoundError, VersionMismatchError */
  async delete(userId: string, id: string, precondition: Precondition): Promise<DeletedTask> {
    return await this.store.change(userId, [id], (tasks) => tasks.delete(id, precondition));
  }

  /**
   * A task that isn't deleted stays as it is.
   *
   * @throws TaskNotFoundError where it was deleted more than 30 days ago; VersionMismatchError
   */
  async restore(userId: string, id: string, precondition: Precondition): Promise<TaskResponseDto> {
    return toTaskResponse(await this.store.restore(userId, id, precondition));
  }
}
