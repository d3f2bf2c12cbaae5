import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model, QueryFilter } from 'mongoose';
import { Cursors, type Position } from '../../common/pagination/cursor.js';
import { type Keyset, keysetSort, readAfter } from '../../common/pagination/keyset.js';
import { type Page, toPage } from '../../common/pagination/page.dto.js';
import { type ListTasksQueryDto, RELEVANCE, type TaskSort } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import { Task } from './schemas/task.schema.js';
import { filterOf, searchedWords } from './task-filter.js';
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
    const keyset = keysetOf(query.sort);
    const list = `tasks:${query.sort}`;
    const position = query.cursor === undefined ? null : this.cursors.decode(list, query.cursor);
    const rows = await this.read(userId, query, keyset, position);
    return toPage(rows, query.limit, toTaskResponse, (last) => {
      const value = sortValue(last, keyset);
      return this.cursors.encode(list, {
        value,
        id: String(last._id),
        tied: value === sortValue(rows[0] as Task, keyset),
      });
    });
  }

  /**
   * Tags stand before the order in their indexes, so several of them are several lists, to be merged. (A task with
   * two of the tags comes twice, hence the map.)
   */
  private async read(
    userId: string,
    query: ListTasksQueryDto,
    keyset: Keyset<SortField>,
    position: Position | null,
  ): Promise<Task[]> {
    const parts = query.q === undefined && query.tag ? query.tag.map((tag) => ({ ...query, tag: [tag] })) : [query];
    const read = parts.map((part) => this.readPart(filterOf(userId, part), keyset, position, query.limit + 1));
    const rows = (await Promise.all(read)).flat();
    if (parts.length === 1) return rows;
    const unique = [...new Map(rows.map((task) => [String(task._id), task])).values()];
    return unique.sort(comparison(keyset)).slice(0, query.limit + 1);
  }

  private async readPart(
    filter: QueryFilter<Task>,
    keyset: Keyset,
    position: Position | null,
    count: number,
  ): Promise<Task[]> {
    return await readAfter(keyset, position, count, (after, limit) =>
      this.tasks
        .find({ $and: [filter, after] })
        .sort(keysetSort(keyset))
        .limit(limit)
        .lean<Task[]>(),
    );
  }
}

type SortField = 'createdAt' | 'dueDate' | 'priority';

function keysetOf(sort: Exclude<TaskSort, typeof RELEVANCE>): Keyset<SortField> {
  const descending = sort.startsWith('-');
  const field = (descending ? sort.slice(1) : sort) as SortField;
  return { field, descending, type: field === 'priority' ? 'number' : 'date' };
}

function sortValue(task: Task, { field }: Keyset<SortField>): string | number {
  const value = task[field];
  return value instanceof Date ? value.toISOString() : value;
}

/** The keyset's order, for rows that come from several queries. */
function comparison({ field, descending }: Keyset<SortField>): (a: Task, b: Task) => number {
  const direction = descending ? -1 : 1;
  return (a, b) => direction * (Number(a[field]) - Number(b[field]) || (String(a._id) < String(b._id) ? -1 : 1));
}
