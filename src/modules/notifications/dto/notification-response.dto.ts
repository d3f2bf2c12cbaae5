import { ApiProperty } from '@nestjs/swagger';
import { type Page, PageInfoResponseDto } from '../../../common/pagination/page.dto.js';
import { NOTIFICATION_EVENTS, type NotificationEvent } from '../../../contracts/notification-events.js';

export class NotificationResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  @ApiProperty({ enum: NOTIFICATION_EVENTS, example: 'task.completed' })
  event!: NotificationEvent;

  /** @example "Task completed" */
  title!: string;

  /** @example "“Write the report” is done." */
  body!: string;

  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string' },
    example: { taskId: '665f1c2e9b1d4a3f8c7e6d5b' },
  })
  data!: Record<string, string>;

  @ApiProperty({ type: String, format: 'date-time', nullable: true, example: null })
  readAt!: string | null;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  createdAt!: string;
}

export class NotificationListResponseDto implements Page<NotificationResponseDto> {
  data!: NotificationResponseDto[];

  page!: PageInfoResponseDto;
}

export class UnreadCountResponseDto {
  /** @example 3 */
  count!: number;
}
