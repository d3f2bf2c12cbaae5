import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { Cursors } from '../../common/pagination/cursor.js';
import { type Page, toPage } from '../../common/pagination/page.dto.js';
import { paginate } from '../../common/pagination/paginate.js';
import { type ListTasksQueryDto, RELEVANCE } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import { Task } from './schemas/task.schema.js';
import { filterOf, searchedWords } from './task-filter.js';
import { TASK_KEYSETS } from './task-keysets.js';
import { toTaskResponse } from './task.mapper.js';
import { TaskSearchService } from './task-search.service.js';

/** Lists of tasks: filters, sort orders and pages. */
@Injectable()
export class TaskListService {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    private readonly search: TaskSearchService,
    private readonly cursors: Cursors,
  ) {}

  async list(userId: string, query: ListTasksQueryDto): Promise<Page<TaskResponseDto>> {
    if (searchedWords(query) === '') return toPage([], query.limit, toTaskResponse, () => '');
    if (query.sort === RELEVANCE) return await this.search.list(userId, query);
    return await paginate(this.tasks, filterOf(userId, query), {
      cursors: this.cursors,
      list: `tasks:${query.sort}`,
      keyset: TASK_KEYSETS[query.sort],
      query,
      map: toTaskResponse,
    });
  }
}
