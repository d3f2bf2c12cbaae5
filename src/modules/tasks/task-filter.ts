import type { QueryFilter } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import type { ListTasksQueryDto } from './dto/task-requests.dto.js';
import { NO_DUE_DATE, type Task } from './schemas/task.schema.js';
import { fromPriority } from './task.mapper.js';
import { tagKeysPattern } from './task-tags.js';
import { wordsToFind } from './task-words.js';

/** The words that a list is to be searched for; null where it isn't. */
export function searchedWords({ q }: ListTasksQueryDto): string | null {
  return q === undefined ? null : [...new Set(wordsToFind(q))].join(' ');
}

/** The user's tasks that all filters of the query let through; a filter with several values means any of them. */
export function filterOf(userId: string, query: ListTasksQueryDto): QueryFilter<Task> {
  const { status, priority, tag, dueBefore, dueAfter, createdAfter } = query;
  const words = searchedWords(query);
  return {
    ...ownedBy(userId).filter,
    ...(words !== null && { $text: { $search: words } }),
    ...(status && { status: { $in: status } }),
    ...(priority && { priority: { $in: priority.map(fromPriority) } }),
    // The keys are in the indexes, and spare the reading of most tasks that haven't got the tag.
    ...(tag && tagFilter(tag)),
    ...((dueBefore ?? dueAfter) !== undefined && {
      dueDate: { ...(dueAfter && { $gte: new Date(dueAfter) }), $lt: dueBefore ? new Date(dueBefore) : NO_DUE_DATE },
    }),
    ...(createdAfter && { createdAt: { $gte: new Date(createdAfter) } }),
  };
}

/** Earlier releases stored tags as they were sent: those that came in NFD are found, too. */
function tagFilter(tags: string[]): QueryFilter<Task> {
  const spellings = [...new Set(tags.flatMap((tag) => [tag, tag.normalize('NFD')]))];
  return { tagKeys: tagKeysPattern(spellings), tags: { $in: spellings } };
}
