import type { Keyset } from '../../common/pagination/keyset.js';
import type { RELEVANCE, TaskSort } from './dto/task-requests.dto.js';
import { NO_DUE_DATE, TASK_PRIORITIES } from './schemas/task.schema.js';

/** The orders that an index serves. `last` is a value that many tasks have at the end of a list. */
export const TASK_KEYSETS: Record<Exclude<TaskSort, typeof RELEVANCE>, Keyset<'createdAt' | 'dueDate' | 'priority'>> = {
  createdAt: { field: 'createdAt', descending: false, type: 'date' },
  '-createdAt': { field: 'createdAt', descending: true, type: 'date' },
  dueDate: { field: 'dueDate', descending: false, type: 'date', last: NO_DUE_DATE.toISOString() },
  '-dueDate': { field: 'dueDate', descending: true, type: 'date' },
  priority: { field: 'priority', descending: false, type: 'number', last: TASK_PRIORITIES.length - 1 },
  '-priority': { field: 'priority', descending: true, type: 'number', last: 0 },
};
