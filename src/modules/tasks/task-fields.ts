import { Types } from 'mongoose';
import type { CreateTaskDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import { NO_DUE_DATE, type SearchedText, type Task, type TaskStatus } from './schemas/task.schema.js';
import { fromPriority, toTaskResponse } from './task.mapper.js';
import type { FieldChange } from './schemas/task-change.schema.js';
import { tagKeysOf } from './task-tags.js';
import { wordsToStore } from './task-words.js';

/** Gives the fields of a task that follow from one field of a request. */
type FieldOf<K extends keyof UpdateTaskDto> = (
  value: Required<UpdateTaskDto>[K],
  before: Task,
  now: Date,
) => Partial<Task>;

/** Every field that a request may set. The compiler reports one that is missing here. */
const FIELDS: { [K in keyof Required<UpdateTaskDto>]: FieldOf<K> } = {
  title: (title) => ({ title }),
  description: (description) => ({ description }),
  priority: (priority) => ({ priority: fromPriority(priority) }),
  tags: (tags) => ({ tags: [...new Set(tags)] }),
  dueDate: (dueDate) => ({ dueDate: toDate(dueDate) ?? NO_DUE_DATE }),
  remindAt: (remindAt) => ({ remindAt: toDate(remindAt) }),
  status: (status, before, now) => ({ status, completedAt: completedAtFor(before, status, now) }),
};

/** A new task of the user's, with defaults for what the input leaves out. */
export function newTask(userId: string, input: CreateTaskDto, now: Date): Task {
  const blank: Task = {
    _id: new Types.ObjectId(),
    user: new Types.ObjectId(userId),
    title: '',
    description: '',
    status: 'todo',
    priority: fromPriority('medium'),
    tags: [],
    dueDate: NO_DUE_DATE,
    remindAt: null,
    completedAt: null,
    remindedOf: null,
    overdueOf: null,
    version: 1,
    createdAt: now,
    updatedAt: now,
  };
  return { ...blank, ...fieldsIn(input, blank, now) };
}

/** The fields that the input gives another value, with those that follow from them. */
export function fieldsToChange(before: Task, input: UpdateTaskDto, now: Date): Partial<Task> {
  return Object.fromEntries(
    Object.entries(fieldsIn(input, before, now)).filter(
      ([field, value]) => JSON.stringify(value) !== JSON.stringify(before[field as keyof Task]),
    ),
  );
}

function fieldsIn(input: UpdateTaskDto, before: Task, now: Date): Partial<Task> {
  const fieldOf = <K extends keyof UpdateTaskDto>(name: K) => {
    const value = input[name];
    return value === undefined ? {} : FIELDS[name](value as Required<UpdateTaskDto>[K], before, now);
  };
  return Object.assign({}, ...Object.keys(FIELDS).map((name) => fieldOf(name as keyof UpdateTaskDto))) as Partial<Task>;
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
function completedAtFor(before: Task, status: TaskStatus, now: Date): Date | null {
  if (status === 'done') return before.completedAt ?? now;
  return status === 'archived' ? before.completedAt : null;
}

function toDate(value: string | null): Date | null {
  return value ? new Date(value) : null;
}
