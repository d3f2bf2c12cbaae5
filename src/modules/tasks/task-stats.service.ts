import { Injectable } from '@nestjs/common';
import { InjectModel } from '@nestjs/mongoose';
import { DateTime } from 'luxon';
import { type Model, type PipelineStage, Types } from 'mongoose';
import { ownedBy } from '../../common/auth/access-scope.js';
import { databaseNow } from '../../platform/database/database-clock.js';
import type { TaskStatsResponseDto } from './dto/task-stats-response.dto.js';
import { TaskOwner } from './schemas/task-owner.schema.js';
import { Task, TASK_PRIORITIES, TASK_STATUSES, type TaskStatus } from './schemas/task.schema.js';
import { fromPriority } from './task.mapper.js';

const DAYS = 30;
const DEFAULT_TIMEZONE = 'UTC';
const OPEN_STATUSES: TaskStatus[] = ['todo', 'in_progress'];
const MS_PER_HOUR = 3_600_000;
const MS_PER_DAY = 24 * MS_PER_HOUR;
/** Days begin at quarter hours of UTC in every time zone, and have 25 hours at most. */
const QUARTER_HOUR = { unit: 'minute', binSize: 15 };

interface Counted<T> {
  _id: T;
  count: number;
}

interface Facets {
  byStatus: Counted<TaskStatus>[];
  byPriority: Counted<number>[];
  overdue: Counted<null>[];
  due: Counted<Date>[];
  completed: Counted<Date>[];
  duration: { _id: null; milliseconds: number | null }[];
  owner: Pick<TaskOwner, 'timezone'>[];
}

/**
 * Statistics over all of a user's tasks, in one round trip to the database: it counts by quarter hours, and gives the
 * user's time zone along with them, by which they are put into days here.
 */
@Injectable()
export class TaskStatsService {
  constructor(
    @InjectModel(Task.name) private readonly tasks: Model<Task>,
    @InjectModel(TaskOwner.name) private readonly owners: Model<TaskOwner>,
  ) {}

  /** @param timezone IANA name; the user's own where it is left out */
  async stats(userId: string, timezone?: string): Promise<TaskStatsResponseDto> {
    const now = DateTime.fromMillis(databaseNow());
    const [facets] = (await this.tasks.aggregate<Facets>([
      { $match: ownedBy(userId).filter },
      { $facet: facetsAt(now.toMillis()) },
      { $lookup: { from: this.owners.collection.name, pipeline: ownerOf(userId), as: 'owner' } },
    ])) as [Facets];
    return toResponse(facets, now.setZone(timezone ?? facets.owner[0]?.timezone ?? DEFAULT_TIMEZONE));
  }
}

function facetsAt(now: number): Record<keyof Omit<Facets, 'owner'>, PipelineStage.FacetPipelineStage[]> {
  const open = { status: { $in: OPEN_STATUSES } };
  const within = (from: number, days: number) => ({ $gte: new Date(from), $lt: new Date(from + days * MS_PER_DAY) });
  const countBy = (key: unknown) => [{ $group: { _id: key, count: { $sum: 1 } } }];
  const countByQuarterHour = (date: string) => countBy({ $dateTrunc: { date, ...QUARTER_HOUR } });
  return {
    byStatus: countBy('$status'),
    byPriority: countBy('$priority'),
    overdue: [{ $match: { ...open, dueDate: { $lt: new Date(now) } } }, ...countBy(null)],
    due: [{ $match: { ...open, dueDate: within(now - 2 * MS_PER_DAY, 4) } }, ...countByQuarterHour('$dueDate')],
    completed: [
      { $match: { completedAt: within(now - (DAYS + 2) * MS_PER_DAY, DAYS + 4) } },
      ...countByQuarterHour('$completedAt'),
    ],
    duration: [
      { $match: { completedAt: { $ne: null } } },
      { $group: { _id: null, milliseconds: { $avg: { $subtract: ['$completedAt', '$createdAt'] } } } },
    ],
  };
}

function ownerOf(userId: string): PipelineStage.Lookup['$lookup']['pipeline'] {
  return [{ $match: { _id: new Types.ObjectId(userId) } }, { $project: { timezone: 1 } }];
}

function toResponse(facets: Facets, now: DateTime): TaskStatsResponseDto {
  const today = now.startOf('day');
  const days = Array.from({ length: DAYS }, (_, day) => today.minus({ days: DAYS - 1 - day }).toISODate() as string);
  const ofStatus = counter(facets.byStatus);
  const ofPriority = counter(facets.byPriority);
  const dueOn = counter(inDays(facets.due, now));
  const completedOn = counter(inDays(facets.completed, now));
  const milliseconds = facets.duration[0]?.milliseconds ?? null;
  return {
    total: facets.byStatus.reduce((sum, { count }) => sum + count, 0),
    byStatus: fromKeys(TASK_STATUSES, ofStatus),
    byPriority: fromKeys(TASK_PRIORITIES, (priority) => ofPriority(fromPriority(priority))),
    overdue: facets.overdue[0]?.count ?? 0,
    dueToday: dueOn(today.toISODate() as string),
    completedPerDay: days.map((date) => ({ date, count: completedOn(date) })),
    averageHoursToComplete: milliseconds === null ? null : Math.round((milliseconds / MS_PER_HOUR) * 100) / 100,
  };
}

/** The same counts by the dates that the quarter hours have in the time zone of `now`. */
function inDays(counts: Counted<Date>[], { zone }: DateTime): Counted<string>[] {
  return counts.map(({ _id, count }) => ({ _id: DateTime.fromJSDate(_id, { zone }).toISODate() as string, count }));
}

/** How many there are of a key, from counts in which a key may stand several times. */
function counter<T>(counts: Counted<T>[]): (key: T) => number {
  const byKey = new Map<T, number>();
  for (const { _id, count } of counts) byKey.set(_id, (byKey.get(_id) ?? 0) + count);
  return (key) => byKey.get(key) ?? 0;
}

function fromKeys<K extends string>(keys: readonly K[], valueOf: (key: K) => number): Record<K, number> {
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)])) as Record<K, number>;
}
