import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';

export const DEFAULT_PAGE_SIZE = 20;
export const MAX_PAGE_SIZE = 100;

/** What every list takes. */
export class PageQueryDto {
  /** How many rows at the most. */
  @ApiProperty({ type: 'integer', required: false, default: DEFAULT_PAGE_SIZE })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_PAGE_SIZE)
  limit: number = DEFAULT_PAGE_SIZE;

  /** `page.nextCursor` of the page before. */
  @IsOptional()
  @IsString()
  @MaxLength(1000)
  cursor?: string;
}

export class PageInfoResponseDto {
  /** @example 20 */
  limit!: number;

  hasMore!: boolean;

  /** Give it back as `cursor` for the next page; null on the last one. */
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
