import { ApiProperty } from '@nestjs/swagger';
import type { TaskPriority, TaskStatus } from '../schemas/task.schema.js';

export class StatusCountsResponseDto implements Record<TaskStatus, number> {
  /** @example 3 */
  todo!: number;
  /** @example 1 */
  in_progress!: number;
  /** @example 12 */
  done!: number;
  /** @example 0 */
  archived!: number;
}

export class PriorityCountsResponseDto implements Record<TaskPriority, number> {
  /** @example 2 */
  low!: number;
  /** @example 10 */
  medium!: number;
  /** @example 3 */
  high!: number;
  /** @example 1 */
  urgent!: number;
}

export class CompletedOnDayResponseDto {
  /**
   * A day in the time zone asked for.
   * @example 2035-01-31
   */
  @ApiProperty({ format: 'date' })
  date!: string;

  /** @example 2 */
  count!: number;
}

export class TaskStatsResponseDto {
  /** @example 16 */
  total!: number;

  byStatus!: StatusCountsResponseDto;

  byPriority!: PriorityCountsResponseDto;

  /**
   * Open tasks whose due date has passed.
   * @example 1
   */
  overdue!: number;

  /**
   * Open tasks that are due on the current day.
   * @example 2
   */
  dueToday!: number;

  /** The last 30 days, today last. */
  completedPerDay!: CompletedOnDayResponseDto[];

  /**
   * Hours from creation to completion; null while nothing has been completed.
   * @example 26.5
   */
  averageHoursToComplete!: number | null;
}
