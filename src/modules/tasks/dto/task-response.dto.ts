import { ApiProperty } from '@nestjs/swagger';
import { type Page, PageInfoResponseDto } from '../../../common/pagination/page.dto.js';
import { AttachmentResponseDto } from './attachment-response.dto.js';
import { TASK_PRIORITIES, TASK_STATUSES, type TaskPriority, type TaskStatus } from '../schemas/task.schema.js';

export class TaskResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  /** @example "Write the report" */
  title!: string;

  /** @example "With the numbers of March." */
  description!: string;

  @ApiProperty({ enum: TASK_STATUSES, example: 'todo' })
  status!: TaskStatus;

  @ApiProperty({ enum: TASK_PRIORITIES, example: 'medium' })
  priority!: TaskPriority;

  /** @example ["work"] */
  tags!: string[];

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2035-01-31T17:00:00.000Z' })
  dueDate!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: '2035-01-31T09:00:00.000Z' })
  remindAt!: string | null;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  completedAt!: string | null;

  attachments!: AttachmentResponseDto[];

  /**
   * Grows with each change; the `ETag`.
   * @example 1
   */
  version!: number;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  createdAt!: string;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  updatedAt!: string;
}

export class TaskListResponseDto implements Page<TaskResponseDto> {
  data!: TaskResponseDto[];

  page!: PageInfoResponseDto;
}
