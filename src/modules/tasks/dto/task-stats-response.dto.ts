import { ApiProperty } from '@nestjs/swagger';
import type { TaskPriority, TaskStatus } from '../schemas/task.schema.js';

export class StatusCountsResponseDto implements Record<TaskStatus, number> {
  todo!: number;
  in_progress!: number;
  done!: number;
  archived!: number;
}

export class PriorityCountsResponseDto implements Record<TaskPriority, number> {
  low!: number;
  medium!: number;
  high!: number;
  urgent!: number;
}

export class CompletedOnDayResponseDto {
  /**
   * A day in the time zone asked for.
   * @example 2026-01-31
   */
  @ApiProperty({ format: 'date' })
  date!: string;

  count!: number;
}

export class TaskStatsResponseDto {
  total!: number;

  byStatus!: StatusCountsResponseDto;

  byPriority!: PriorityCountsResponseDto;

  /** Open tasks whose due date has passed. */
  overdue!: number;

  /** Open tasks that are due on the current day. */
  dueToday!: number;

  /** The last 30 days, today last. */
  completedPerDay!: CompletedOnDayResponseDto[];

  /** Hours from creation to completion; null while nothing has been completed. */
  averageHoursToComplete!: number | null;
}
