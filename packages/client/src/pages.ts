import type { PathsWithMethod } from 'openapi-typescript-helpers';
import type { paths } from './schema.js';

/** A page of a list, as the service answers it. */
export interface Page<Row> {
  data: Row[];
  page: { limit: number; hasMore: boolean; nextCursor: string | null };
}

type AnswerOf<Path extends PathsWithMethod<paths, 'get'>> = paths[Path]['get'] extends {
  responses: { 200: { content: { 'application/json': infer Answer } } };
}
  ? Answer
  : never;

/** The paths whose answer is a page of rows. */
export type ListPath = {
  [Path in PathsWithMethod<paths, 'get'>]: AnswerOf<Path> extends { data: unknown[]; page: unknown } ? Path : never;
}[PathsWithMethod<paths, 'get'>];

/** What a list consists of. */
export type RowOf<Path extends ListPath> = AnswerOf<Path> extends { data: (infer Row)[] } ? Row : never;

/**
 * Reads page after page, each when it is wanted.
 *
 * @param read reads the page at a cursor; the first one without
 */
export async function* readPages<Row>(
  read: (cursor: string | undefined) => Promise<Page<Row>>,
): AsyncGenerator<Page<Row>> {
  let cursor: string | undefined;
  do {
    const page = await read(cursor);
    yield page;
    cursor = page.page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export async function* readRows<Row>(pages: AsyncIterable<Page<Row>>): AsyncGenerator<Row> {
  for await (const { data } of pages) yield* data;
}
