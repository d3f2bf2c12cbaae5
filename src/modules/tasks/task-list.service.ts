import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type Model, type QueryFilter, Types } from 'mongoose';
import { Cursors } from '../../common/pagination/cursor.js';
import { keysetAfter, keysetSort, type Keyset } from '../../common/pagination/keyset.js';
import { type Page, toPage } from '../../common/pagination/page.dto.js';
import type { ListTasksQueryDto, TaskSort } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import { NO_DUE_DATE, Task } from './schemas/task.schema.js';
import { fromPriority, toTaskResponse } from './task.mapper.js';

/** Lists of tasks: filters, sort orders and pages. */
@Injectable()
export class TaskListService {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    private readonly cursors: Cursors,
  ) {}

  async list(userId: string, query: ListTasksQueryDto): Promise<Page<TaskResponseDto>> {
    const keyset = keysetOf(query.sort);
    const list = `tasks:${query.sort}`;
    const position = query.cursor === undefined ? null : this.cursors.decode(list, query.cursor);
    const rows = await this.tasks
      .find({ $and: [filterOf(userId, query), keysetAfter(keyset, position)] })
      .sort(keysetSort(keyset))
      .limit(query.limit + 1)
      .lean<Task[]>();
    return toPage(rows, query.limit, toTaskResponse, (task) =>
      this.cursors.encode(list, { value: sortValue(task, keyset), id: String(task._id) }),
    );
  }
}

type SortField = 'createdAt' | 'dueDate' | 'priority';

function keysetOf(sort: TaskSort): Keyset<SortField> {
  const descending = sort.startsWith('-');
  const field = (descending ? sort.slice(1) : sort) as SortField;
  return { field, descending, type: field === 'priority' ? 'number' : 'date' };
}

function sortValue(task: Task, { field }: Keyset<SortField>): string | number {
  const value = task[field];
  return value instanceof Date ? value.toISOString() : value;
}

function filterOf(userId: string, query: ListTasksQueryDto): QueryFilter<Task> {
  const { status, priority, tag, dueBefore, dueAfter, createdAfter } = query;
  return {
    user: new Types.ObjectId(userId),
    deletedAt: null,
    ...(status && { status: { $in: status } }),
    ...(priority && { priority: { $in: priority.map(fromPriority) } }),
    ...(tag && { tags: { $in: tag } }),
    ...((dueBefore ?? dueAfter) !== undefined && {
      dueDate: { ...(dueAfter && { $gt: new Date(dueAfter) }), $lt: dueBefore ? new Date(dueBefore) : NO_DUE_DATE },
    }),
    ...(createdAfter && { createdAt: { $gt: new Date(createdAfter) } }),
  };
}
