import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, Types } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { withVersion } from '../../common/http/versioned.decorator.js';
import { Cursors } from '../../common/pagination/cursor.js';
import type { Keyset } from '../../common/pagination/keyset.js';
import type { Page, PageQueryDto } from '../../common/pagination/page.dto.js';
import { paginate } from '../../common/pagination/paginate.js';
import type { TaskChangeResponseDto } from './dto/task-change-response.dto.js';
import { TaskChange } from './schemas/task-change.schema.js';
import { toTaskChangeResponse } from './task.mapper.js';
import { TasksRepository } from './tasks.repository.js';

/** A task's changes have different versions, so the version alone is a total order. */
const NEWEST_FIRST: Keyset<'version'> = { field: 'version', descending: true, type: 'number' };

/** What was done to a task; `TasksRepository` writes it with each change. */
@Injectable()
export class TaskHistoryService {
  constructor(
    @InjectModel(TaskChange.name) private readonly history: Model<TaskChange>,
    private readonly tasks: TasksRepository,
    private readonly cursors: Cursors,
  ) {}

  /** @returns a page with the version of the task. @throws TaskNotFoundError */
  async list(userId: string, id: string, query: PageQueryDto): Promise<Page<TaskChangeResponseDto>> {
    // The version first: a page that shows more than its tag says is read again, the other way round it would be kept.
    const { version } = await this.tasks.get(userId, id);
    const task = { ...ownedBy(userId).filter, task: new Types.ObjectId(id) };
    const page = await paginate(this.history, task, {
      cursors: this.cursors,
      list: `task-history:${id}`,
      keyset: NEWEST_FIRST,
      query,
      map: toTaskChangeResponse,
    });
    return withVersion(version, page);
  }
}
