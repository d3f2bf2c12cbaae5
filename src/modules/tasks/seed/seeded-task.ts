import { type Types } from 'mongoose';
import { NO_DUE_DATE, type Task, type TaskStatus } from '../schemas/task.schema.js';
import { indexedFieldsOf } from '../task-fields.js';
import { randomOf } from './random.js';
import { TAGS, VOCABULARY } from './vocabulary.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const HISTORY_DAYS = 730;
/** Open tasks are overdue by so much at most. */
const OVERDUE_MS = 14 * DAY_MS;
/** How many of a hundred have each status: most tasks are of the past. */
const STATUS_SHARES: [TaskStatus, number][] = [
  ['done', 62],
  ['todo', 20],
  ['archived', 12],
  ['in_progress', 6],
];
const PRIORITY_SHARES: [number, number][] = [
  [1, 50],
  [0, 25],
  [2, 18],
  [3, 7],
];
const TAG_COUNTS: [number, number][] = [
  [1, 40],
  [0, 30],
  [2, 20],
  [4, 10],
];

/**
 * A task as people have them: of the last two years, most of them done, half of them due at some time, tags and words from the commonest to the rarest.
 *
 * @param index gives the same task each time, but for its times, which count from `now`
 */
export function seededTask(_id: Types.ObjectId, user: Types.ObjectId, index: number, now: number): Task {
  const random = randomOf(index);
  const status = random.oneOf(STATUS_SHARES);
  const createdAt = new Date(now - Math.floor(random.number() ** 1.3 * HISTORY_DAYS * DAY_MS));
  const isOver = status === 'done' || status === 'archived';
  const completedAt = isOver ? new Date(Math.min(now, createdAt.getTime() + random.number() ** 4 * 60 * DAY_MS)) : null;
  const dueDate =
    random.number() < 0.5 ? NO_DUE_DATE : dueAfter(isOver ? createdAt.getTime() : now - OVERDUE_MS, random.number());
  const words = (count: number) => Array.from({ length: count }, () => random.common(VOCABULARY)).join(' ');
  const texts = {
    title: `${words(2 + random.below(5))} ${index}`,
    description: random.number() < 0.4 ? '' : words(5 + random.below(40)),
    tags: [...new Set(Array.from({ length: random.oneOf(TAG_COUNTS) }, () => random.common(TAGS)))],
  };
  return {
    _id,
    user,
    ...texts,
    status,
    priority: random.oneOf(PRIORITY_SHARES),
    dueDate,
    remindAt: null,
    remindedOf: null,
    overdueOf: null,
    completedAt,
    version: isOver ? 2 : 1,
    createdAt,
    updatedAt: completedAt ?? createdAt,
    ...indexedFieldsOf(texts),
  };
}

/** Within two months, three times a day: many are due at the same time. */
function dueAfter(time: number, fraction: number): Date {
  return new Date(Math.ceil((time + fraction ** 2 * 60 * DAY_MS) / (8 * HOUR_MS)) * 8 * HOUR_MS);
}
