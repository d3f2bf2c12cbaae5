import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { DateTime } from 'luxon';
import { type Model, Types } from 'mongoose';
import type { TaskStatsResponseDto } from './dto/task-stats-response.dto.js';
import { TaskOwner } from './schemas/task-owner.schema.js';
import { Task, TASK_PRIORITIES, TASK_STATUSES, type TaskStatus } from './schemas/task.schema.js';
import { fromPriority } from './task.mapper.js';

const DAYS = 30;
const DEFAULT_TIMEZONE = 'UTC';
const OPEN_STATUSES: TaskStatus[] = ['todo', 'in_progress'];
const MS_PER_HOUR = 3_600_000;

interface Counted<T> {
  _id: T;
  count: number;
}

interface Facets {
  byStatus: Counted<TaskStatus>[];
  byPriority: Counted<number>[];
  overdue: Counted<null>[];
  dueToday: Counted<null>[];
  completed: Counted<string>[];
  duration: { _id: null; milliseconds: number | null }[];
}

/** Statistics over all of a user's tasks, in one round trip to the database. */
@Injectable()
export class TaskStatsService {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    @InjectModel(TaskOwner.name) private readonly owners: Model<TaskOwner>,
  ) {}

  /** @param timezone IANA name; the user's own where it is left out */
  async stats(userId: string, timezone?: string): Promise<TaskStatsResponseDto> {
    const zone = timezone ?? (await this.owners.findById(userId).lean())?.timezone ?? DEFAULT_TIMEZONE;
    const now = DateTime.now().setZone(zone);
    const today = now.startOf('day');
    const firstDay = today.minus({ days: DAYS - 1 });
    const open = { status: { $in: OPEN_STATUSES } };
    const count = { $group: { _id: null, count: { $sum: 1 } } };
    const countBy = (key: unknown) => [{ $group: { _id: key, count: { $sum: 1 } } }];
    const [facets] = await this.tasks.aggregate<Facets>([
      { $match: { user: new Types.ObjectId(userId), deletedAt: null } },
      {
        $facet: {
          byStatus: countBy('$status'),
          byPriority: countBy('$priority'),
          overdue: [{ $match: { ...open, dueDate: { $lt: now.toJSDate() } } }, count],
          dueToday: [
            { $match: { ...open, dueDate: { $gte: today.toJSDate(), $lt: today.plus({ days: 1 }).toJSDate() } } },
            count,
          ],
          completed: [
            { $match: { completedAt: { $gte: firstDay.toJSDate() } } },
            ...countBy({ $dateToString: { date: '$completedAt', format: '%Y-%m-%d', timezone: zone } }),
          ],
          duration: [
            { $match: { completedAt: { $ne: null } } },
            { $group: { _id: null, milliseconds: { $avg: { $subtract: ['$completedAt', '$createdAt'] } } } },
          ],
        },
      },
    ]);
    return toResponse(facets as Facets, firstDay);
  }
}

function toResponse(facets: Facets, firstDay: DateTime): TaskStatsResponseDto {
  const days = Array.from({ length: DAYS }, (_, day) => firstDay.plus({ days: day }).toISODate() as string);
  const counter = <T>(counts: Counted<T>[]) => {
    const byKey = new Map(counts.map(({ _id, count }) => [_id, count]));
    return (key: T) => byKey.get(key) ?? 0;
  };
  const ofStatus = counter(facets.byStatus);
  const ofPriority = counter(facets.byPriority);
  const ofDay = counter(facets.completed);
  const milliseconds = facets.duration[0]?.milliseconds ?? null;
  return {
    total: facets.byStatus.reduce((sum, { count }) => sum + count, 0),
    byStatus: fromKeys(TASK_STATUSES, ofStatus),
    byPriority: fromKeys(TASK_PRIORITIES, (priority) => ofPriority(fromPriority(priority))),
    overdue: facets.overdue[0]?.count ?? 0,
    dueToday: facets.dueToday[0]?.count ?? 0,
    completedPerDay: days.map((date) => ({ date, count: ofDay(date) })),
    averageHoursToComplete: milliseconds === null ? null : Math.round((milliseconds / MS_PER_HOUR) * 100) / 100,
  };
}

function fromKeys<K extends string>(keys: readonly K[], valueOf: (key: K) => number): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)])) as Record<K, number>;
}
