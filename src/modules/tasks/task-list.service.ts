import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { Cursors } from '../../common/pagination/cursor.js';
import { keysetSort, readAfter } from '../../common/pagination/keyset.js';
import { type Page, toPage } from '../../common/pagination/page.dto.js';
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
    const keyset = TASK_KEYSETS[query.sort];
    const list = `tasks:${query.sort}`;
    const position = query.cursor === undefined ? null : this.cursors.decode(list, query.cursor);
    const filter = filterOf(userId, query);
    const rows = await readAfter(keyset, position, query.limit + 1, (after, limit) =>
      this.tasks
        .find({ $and: [filter, after] })
        .sort(keysetSort(keyset))
        .limit(limit)
        .lean<Task[]>(),
    );
    return toPage(rows, query.limit, toTaskResponse, (last) => {
      const value = sortValue(last, keyset);
      return this.cursors.encode(list, {
        value,
        id: String(last._id),
        tied: value === sortValue(rows[0] as Task, keyset),
      });
    });
  }
}

type TaskKeyset = (typeof TASK_KEYSETS)[keyof typeof TASK_KEYSETS];

function sortValue(task: Task, { field }: TaskKeyset): string | number {
  const value = task[field];
  return value instanceof Date ? value.toISOString() : value;
}
