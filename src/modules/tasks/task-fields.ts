import { Types } from 'mongoose';
import { databaseDate } from '../../platform/database/database-clock.js';
import type { CreateTaskDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import { NO_DUE_DATE, type SearchedText, type Task, type TaskStatus } from './schemas/task.schema.js';
import { fromPriority, toTaskResponse } from './task.mapper.js';
import type { FieldChange } from './schemas/task-change.schema.js';
import { tagKeysOf } from './task-tags.js';
import { wordsToStore } from './task-words.js';

/** A new task of the user's, with defaults for what the input leaves out. */
export function newTask(user: Types.ObjectId, input: CreateTaskDto): Task {
  const now = databaseDate();
  const status = input.status ?? 'todo';
  return {
    _id: new Types.ObjectId(),
    user,
    title: input.title,
    description: input.description ?? '',
    status,
    priority: fromPriority(input.priority ?? 'medium'),
    tags: [...new Set(input.tags)],
    dueDate: toDueDate(input.dueDate),
    remindAt: toDate(input.remindAt),
    completedAt: status === 'done' ? now : null,
    remindedOf: null,
    overdueOf: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
}

/** What of the input differs from the task, with what follows from it. */
export function fieldsToChange(task: Task, input: UpdateTaskDto): Partial<Task> {
  const wanted: Partial<Task> = {
    ...(input.title === undefined ? {} : { title: input.title }),
    ...(input.description === undefined ? {} : { description: input.description }),
    ...(input.priority === undefined ? {} : { priority: fromPriority(input.priority) }),
    ...(input.tags === undefined ? {} : { tags: [...new Set(input.tags)] }),
    ...(input.dueDate === undefined ? {} : { dueDate: toDueDate(input.dueDate) }),
    ...(input.remindAt === undefined ? {} : { remindAt: toDate(input.remindAt) }),
    ...(input.status === undefined ? {} : { status: input.status, completedAt: completedAtFor(task, input.status) }),
  };
  return Object.fromEntries(
    Object.entries(wanted).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(task[key as keyof Task])),
  );
}

/** What changed between two states of a task, as the API shows them. */
export function fieldChanges(before: Task, after: Task): FieldChange[] {
  const [from, to] = [toTaskResponse(before), toTaskResponse(after)];
  return (Object.keys(to) as (keyof typeof to)[])
    .filter((field) => field !== 'version' && field !== 'updatedAt')
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .map((field) => ({ field, from: from[field], to: to[field] }));
}

/** What is stored of a task for its indexes alone. */
export function indexedFieldsOf({
  title,
  tags,
  description,
}: Pick<Task, 'title' | 'tags' | 'description'>): Pick<Task, 'search' | 'tagKeys'> {
  return { search: searchedTextOf({ title, tags, description }), tagKeys: tagKeysOf(tags) };
}

/** The words of a task's texts. */
export function searchedTextOf({
  title,
  tags,
  description,
}: Pick<Task, 'title' | 'tags' | 'description'>): SearchedText {
  const join = (text: string) => wordsToStore(text).join(' ');
  return { title: join(title), tags: join(tags.join(' ')), description: join(description) };
}

/** Set when a task becomes done, kept when it is archived, cleared when it is opened again. */
function completedAtFor(task: Task, status: TaskStatus): Date | null {
  if (status === 'done') return task.completedAt ?? databaseDate();
  return status === 'archived' ? task.completedAt : null;
}

function toDueDate(value: string | null | undefined): Date {
  return toDate(value) ?? NO_DUE_DATE;
}

function toDate(value: string | null | undefined): Date | null {
  return value ? new Date(value) : null;
}
