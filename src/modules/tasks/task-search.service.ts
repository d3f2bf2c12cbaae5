import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import type { Model } from 'mongoose';
import { Cursors } from '../../common/pagination/cursor.js';
import { type Keyset, keysetAfter, keysetSort } from '../../common/pagination/keyset.js';
import type { Page } from '../../common/pagination/page.dto.js';
import { readPage } from '../../common/pagination/paginate.js';
import type { ListTasksQueryDto } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import { Task } from './schemas/task.schema.js';
import { filterOf, searchedWords } from './task-filter.js';
import { toTaskResponse } from './task.mapper.js';

type ScoredTask = Task & { score: number };

const MOST_RELEVANT_FIRST: Keyset<'score'> = { field: 'score', descending: true, type: 'number' };
/** A score is a sum of fractions, whose last digits may differ with the order it is made in: digits that don't. */
const SCORE = { $round: [{ $meta: 'textScore' }, 6] };

/** Lists of tasks by how much they have to do with words: every match has to be looked at to know the best. */
@Injectable()
export class TaskSearchService {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    private readonly cursors: Cursors,
  ) {}

  async list(userId: string, query: ListTasksQueryDto): Promise<Page<TaskResponseDto>> {
    const request = {
      cursors: this.cursors,
      list: `tasks:-relevance:${searchedWords(query)}`,
      keyset: MOST_RELEVANT_FIRST,
      query,
      map: toTaskResponse,
    };
    return await readPage<ScoredTask, TaskResponseDto>(request, (position, limit) =>
      this.tasks.aggregate<ScoredTask>([
        { $match: filterOf(userId, query) },
        { $set: { score: SCORE } },
        { $match: keysetAfter(MOST_RELEVANT_FIRST, position) },
        { $sort: keysetSort(MOST_RELEVANT_FIRST) },
        { $limit: limit },
        { $unset: ['search', 'tagKeys'] },
      ]),
    );
  }
}
