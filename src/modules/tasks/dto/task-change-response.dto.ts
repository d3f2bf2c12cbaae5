import { ApiProperty, type ApiPropertyOptions } from '@nestjs/swagger';
import { type Page, PageInfoResponseDto } from '../../../common/pagination/page.dto.js';

/** A field's value as a task shows it: a text, a list, or nothing. */
const VALUE: ApiPropertyOptions = { oneOf: [{ type: 'string' }, { type: 'array', items: {} }], nullable: true };

export class FieldChangeResponseDto {
  /**
   * A field of the task; `deletedAt` for a deletion and a restoration.
   * @example status
   */
  field!: string;

  @ApiProperty({ ...VALUE, example: 'todo' })
  from!: unknown;

  @ApiProperty({ ...VALUE, example: 'done' })
  to!: unknown;
}

export class TaskChangeResponseDto {
  /** @example 665f1c2e9b1d4a3f8c7e6d5b */
  id!: string;

  @ApiProperty({ format: 'date-time', example: '2035-01-15T09:30:00.000Z' })
  at!: string;

  /**
   * Who did it.
   * @example 665f1c2e9b1d4a3f8c7e6d5b
   */
  actorId!: string;

  changes!: FieldChangeResponseDto[];
}

/** Newest first. */
export class TaskHistoryResponseDto implements Page<TaskChangeResponseDto> {
  data!: TaskChangeResponseDto[];

  page!: PageInfoResponseDto;
}
