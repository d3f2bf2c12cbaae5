import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** What every list takes. */
export class PageQueryDto {
  /** How many rows at the most. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, maximum: MAX_PAGE_SIZE, default: DEFAULT_PAGE_SIZE })
  @IsOptional()
  @Type(() => Number)
  @Max(MAX_PAGE_SIZE)
  @Min(1)
  @IsInt()
  limit: number = DEFAULT_PAGE_SIZE;

  /** `page.nextCursor` of the page before. */
  @IsOptional()
  @MaxLength(1000)
  @IsString()
  cursor?: string;
}

export class PageInfoResponseDto {
  @ApiProperty({ type: 'integer', example: 20 })
  limit!: number;

  /** @example false */
  hasMore!: boolean;

  /** Give it back as `cursor` for the next page; null on the last one. */
  @ApiProperty({ type: String, nullable: true, example: null })
  nextCursor!: string | null;
}

/** One page of a list. */
export interface Page<T> {
  data: T[];
  page: PageInfoResponseDto;
}

/**
 * Makes a page of `limit` rows from up to `limit + 1` found: the one too many only says that there are more.
 *
 * @param cursorOf the cursor that continues behind a row
 */
export function toPage<Row, T>(
  rows: Row[],
  limit: number,
  map: (row: Row) => T,
  cursorOf: (row: Row) => string,
): Page<T> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const hasMore = rows.length > limit;
  return {
    data: shown.map(map),
    page: { limit, hasMore, nextCursor: hasMore && last !== undefined ? cursorOf(last) : null },
  };
}

/** A list that is always given whole, in the shape of all lists. */
export function wholeList<T>(data: T[]): Page<T> {
  return { data, page: { limit: data.length, hasMore: false, nextCursor: null } };
}
