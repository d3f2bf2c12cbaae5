import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { type ClientSession, type Model, Types } from 'mongoose';
import { assertMatches, type Precondition } from '../../common/http/etag.js';
import {
  TaskCompletedEvent,
  TaskCreatedEvent,
  TaskDeletedEvent,
  TaskUpdatedEvent,
} from '../../contracts/tasks.events.js';
import { ResponseCache } from '../../platform/cache/response-cache.js';
import { Transactions } from '../../platform/database/transactions.js';
import { Outbox } from '../../platform/messaging/outbox.js';
import type { CreateTaskDto, UpdateTaskDto } from './dto/task-requests.dto.js';
import type { TaskResponseDto } from './dto/task-response.dto.js';
import { NO_DUE_DATE, Task, type TaskStatus } from './schemas/task.schema.js';
import { TaskNotFoundError } from './tasks.errors.js';
import { fromPriority, toTaskResponse } from './task.mapper.js';

type Changes = Partial<Task>;

/** Changing tasks and reading one; every change is one transaction with its event. */
@Injectable()
export class TasksService {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    private readonly transactions: Transactions,
    private readonly outbox: Outbox,
    private readonly cache: ResponseCache,
  ) {}

  async create(userId: string, input: CreateTaskDto): Promise<TaskResponseDto> {
    const now = new Date();
    const status = input.status ?? 'todo';
    const task: Task = {
      _id: new Types.ObjectId(),
      user: new Types.ObjectId(userId),
      title: input.title,
      description: input.description ?? '',
      status,
      priority: fromPriority(input.priority ?? 'medium'),
      tags: [...new Set(input.tags)],
      dueDate: toDueDate(input.dueDate),
      remindAt: toDate(input.remindAt),
      completedAt: status === 'done' ? now : null,
      version: 1,
      createdAt: now,
      updatedAt: now,
      deletedAt: null,
    };
    await this.change(userId, async (session) => {
      await this.tasks.create([task], { session });
      await this.outbox.add(session, new TaskCreatedEvent(String(task._id), eventData(task)));
      if (status === 'done') await this.publishCompleted(task, session);
    });
    return toTaskResponse(task);
  }

  /** @throws TaskNotFoundError */
  async get(userId: string, id: string): Promise<TaskResponseDto> {
    return toTaskResponse(await this.getOwn(userId, id));
  }

  /** @throws TaskNotFoundError, VersionMismatchError */
  async update(userId: string, id: string, input: UpdateTaskDto, precondition: Precondition): Promise<TaskResponseDto> {
    return await this.change(userId, async (session) => {
      const before = await this.getOwn(userId, id, session);
      assertMatches(precondition, before);
      const changes = changesOf(before, input);
      const changed = Object.keys(changes);
      if (changed.length === 0) return toTaskResponse(before);
      const after: Task = { ...before, ...changes, version: before.version + 1, updatedAt: new Date() };
      await this.store(before, after, session);
      await this.outbox.add(session, new TaskUpdatedEvent(id, { ...eventData(after), changed }));
      if (after.status === 'done' && before.status !== 'done') await this.publishCompleted(after, session);
      return toTaskResponse(after);
    });
  }

  /** @throws TaskNotFoundError, VersionMismatchError */
  async delete(userId: string, id: string, precondition: Precondition): Promise<void> {
    await this.change(userId, async (session) => {
      const before = await this.getOwn(userId, id, session);
      assertMatches(precondition, before);
      const now = new Date();
      const after: Task = { ...before, version: before.version + 1, updatedAt: now, deletedAt: now };
      await this.store(before, after, session);
      await this.outbox.add(session, new TaskDeletedEvent(id, eventData(after)));
    });
  }

  private async getOwn(userId: string, id: string, session: ClientSession | null = null): Promise<Task> {
    const task = await this.tasks.findOne({ _id: id, user: userId, deletedAt: null }, null, { session }).lean<Task>();
    if (!task) throw new TaskNotFoundError();
    return task;
  }

  private async store(before: Task, after: Task, session: ClientSession): Promise<void> {
    const { matchedCount } = await this.tasks.updateOne(
      { _id: before._id, user: before.user, version: before.version },
      { $set: after },
      { session },
    );
    if (matchedCount !== 1) throw new TaskNotFoundError();
  }

  private async publishCompleted(task: Task, session: ClientSession): Promise<void> {
    const completedAt = (task.completedAt as Date).toISOString();
    await this.outbox.add(session, new TaskCompletedEvent(String(task._id), { ...eventData(task), completedAt }));
  }

  /** A transaction after which the user's cached lists and stats are out of date. */
  private change<T>(userId: string, work: (session: ClientSession) => Promise<T>): Promise<T> {
    return this.transactions.run(async (session) => {
      this.cache.invalidateAfterCommit(session, userId, 'tasks');
      return await work(session);
    });
  }
}

function eventData({ user, version, title }: Task) {
  return { userId: String(user), version, title };
}

/** What of the input differs from the task, with what follows from it. */
function changesOf(task: Task, input: UpdateTaskDto): Changes {
  const wanted: Changes = {
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

/** Set when a task becomes done, kept when it is archived, cleared when it is opened again. */
function completedAtFor(task: Task, status: TaskStatus): Date | null {
  if (status === 'done') return task.completedAt ?? new Date();
  return status === 'archived' ? task.completedAt : null;
}

function toDueDate(value: string | null | undefined): Date {
  return toDate(value) ?? NO_DUE_DATE;
}

function toDate(value: string | null | undefined): Date | null {
  return value ? new Date(value) : null;
}
