import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, Types } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { withVersion } from '../../common/http/versioned.decorator.js';
import { Cursors } from '../../common/pagination/cursor.js';
import { type Keyset, keysetAfter, keysetSort } from '../../common/pagination/keyset.js';
import { type Page, type PageQueryDto, toPage } from '../../common/pagination/page.dto.js';
import type { TaskChangeResponseDto } from './dto/task-change-response.dto.js';
import { TaskChange } from './schemas/task-change.schema.js';
import { toTaskChangeResponse } from './task.mapper.js';
import { TasksRepository } from './tasks.repository.js';

/** A task's changes have different versions, so the version alone is a total order. */
const NEWEST_FIRST: Keyset = { field: 'version', descending: true, type: 'number' };

/** What was done to a task; `TasksRepository` writes it with each change. */
@Injectable()
export class TaskHistoryService {
  constructor(
    @InjectModel(TaskChange.name) private readonly history: Model<TaskChange>,
    private readonly tasks: TasksRepository,
    private readonly cursors: Cursors,
  ) {}

  /** @returns a page with the version of the task. @throws TaskNotFoundError */
  async list(userId: string, id: string, { limit, cursor }: PageQueryDto): Promise<Page<TaskChangeResponseDto>> {
    const list = `task-history:${id}`;
    const position = cursor === undefined ? null : this.cursors.decode(list, cursor);
    const { version } = await this.tasks.get(userId, id);
    const task = { ...ownedBy(userId).filter, task: new Types.ObjectId(id) };
    const rows = await this.history
      .find({ $and: [task, keysetAfter(NEWEST_FIRST, position)] })
      .sort(keysetSort(NEWEST_FIRST))
      .limit(limit + 1)
      .lean<TaskChange[]>();
    const page = toPage(rows, limit, toTaskChangeResponse, (row) =>
      this.cursors.encode(list, { value: row.version, id: String(row._id) }),
    );
    return withVersion(version, page);
  }
}
