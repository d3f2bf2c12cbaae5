import { ApiProperty, PartialType } from '@nestjs/swagger';
import { ArrayMaxSize, IsArray, IsIn, IsOptional, IsString, Length, ValidateBy } from 'class-validator';
import { PageQueryDto } from '../../../common/pagination/page.dto.js';
import { CommaSeparated } from '../../../common/validation/comma-separated.js';
import { IsIanaTimeZone } from '../../../common/validation/is-iana-time-zone.js';
import { IsTimestamp } from '../../../common/validation/is-timestamp.js';
import { OptionalField } from '../../../common/validation/optional-field.js';
import { MultiLineText, SingleLineText } from '../../../common/validation/text.js';
import { TASK_PRIORITIES, TASK_STATUSES, type TaskPriority, type TaskStatus } from '../schemas/task.schema.js';

const MAX_TAGS = 20;
const MAX_TAG_LENGTH = 40;

export class CreateTaskDto {
  /** @example "Write the report" */
  @SingleLineText({ maxLength: 200 })
  title!: string;

  /** @example "With the numbers of March." */
  @OptionalField()
  @MultiLineText({ minLength: 0, maxLength: 10_000 })
  description?: string;

  @ApiProperty({ enum: TASK_STATUSES, default: 'todo', required: false, example: 'todo' })
  @OptionalField()
  @IsIn(TASK_STATUSES)
  status?: TaskStatus;

  @ApiProperty({ enum: TASK_PRIORITIES, default: 'medium', required: false, example: 'medium' })
  @OptionalField()
  @IsIn(TASK_PRIORITIES)
  priority?: TaskPriority;

  /** @example ["work"] */
  @ApiProperty({ maxItems: MAX_TAGS, required: false })
  @OptionalField()
  @SingleLineText({ maxLength: MAX_TAG_LENGTH, each: true, without: ',' })
  @ArrayMaxSize(MAX_TAGS)
  @IsArray()
  tags?: string[];

  /** @example 2035-01-31T17:00:00.000Z */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, required: false })
  @IsOptional()
  @IsTimestamp()
  dueDate?: string | null;

  /** @example 2035-01-31T09:00:00.000Z */
  @ApiProperty({ type: String, format: 'date-time', nullable: true, required: false })
  @IsOptional()
  @IsTimestamp()
  remindAt?: string | null;
}

export class UpdateTaskDto extends PartialType(CreateTaskDto, { skipNullProperties: false }) {}

/** Orders of the tasks themselves, beside that of a search. */
export const TASK_SORTS = ['createdAt', '-createdAt', 'dueDate', '-dueDate', 'priority', '-priority'] as const;
export const RELEVANCE = '-relevance';
export type TaskSort = (typeof TASK_SORTS)[number] | typeof RELEVANCE;

const MAX_SEARCH_LENGTH = 200;

/** Relevance is to something. */
const NeedsSearchForRelevance = () =>
  ValidateBy({
    name: 'needsSearchForRelevance',
    validator: {
      validate: (sort, args) => sort !== RELEVANCE || (args?.object as ListTasksQueryDto).q !== undefined,
      defaultMessage: () => `must not be ${RELEVANCE} where q is left out`,
    },
  });

export class ListTasksQueryDto extends PageQueryDto {
  /** Any of these. */
  @ApiProperty({ enum: TASK_STATUSES, isArray: true, required: false, style: 'form', explode: false } as object)
  @OptionalField()
  @IsIn(TASK_STATUSES, { each: true })
  @CommaSeparated()
  status?: TaskStatus[];

  /** Any of these. */
  @ApiProperty({ enum: TASK_PRIORITIES, isArray: true, required: false, style: 'form', explode: false } as object)
  @OptionalField()
  @IsIn(TASK_PRIORITIES, { each: true })
  @CommaSeparated()
  priority?: TaskPriority[];

  /** Any of these. */
  @ApiProperty({ maxItems: MAX_TAGS, required: false, style: 'form', explode: false } as object)
  @CommaSeparated() // transforms first, since it stands first
  @OptionalField()
  @SingleLineText({ maxLength: MAX_TAG_LENGTH, each: true })
  @ArrayMaxSize(MAX_TAGS)
  tag?: string[];

  /** Excluded: tasks due at this very time aren't listed. */
  @ApiProperty({ format: 'date-time', required: false })
  @OptionalField()
  @IsTimestamp()
  dueBefore?: string;

  /** Included: tasks due at this very time are listed. */
  @ApiProperty({ format: 'date-time', required: false })
  @OptionalField()
  @IsTimestamp()
  dueAfter?: string;

  /** Included: tasks created at this very time are listed. */
  @ApiProperty({ format: 'date-time', required: false })
  @OptionalField()
  @IsTimestamp()
  createdAfter?: string;

  /**
   * Words of title, description or tags: any of them. Case, accents, width and vowel points are ignored (ß = ss, ø = o, ł = l); scripts
   * without spaces match from one character on. Other characters are ignored.
   */
  @OptionalField()
  @Length(1, MAX_SEARCH_LENGTH)
  @IsString()
  q?: string;

  /**
   * A minus sorts from the highest down; tasks without a due date count as due last. `-relevance` goes with `q`: a
   * word counts most in the title, then in a tag.
   */
  @ApiProperty({ enum: [...TASK_SORTS, RELEVANCE], default: '-createdAt', required: false })
  @NeedsSearchForRelevance()
  @IsIn([...TASK_SORTS, RELEVANCE])
  sort: TaskSort = '-createdAt';
}

export class TaskStatsQueryDto {
  /** IANA name, such as Europe/Vienna; the user's own where it is left out. */
  @OptionalField()
  @IsIanaTimeZone()
  timezone?: string;
}
