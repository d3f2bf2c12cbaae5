import type { Model, Types } from 'mongoose';
import type { Cursors, Position } from './cursor.js';
import { type Keyset, keysetSort, readAfter } from './keyset.js';
import { type Page, type PageQueryDto, toPage } from './page.dto.js';

interface PageRequest<Row, T> {
  cursors: Cursors;
  /** The name of the list with its order: a cursor is refused in every other list. */
  list: string;
  keyset: Keyset<keyof Row & string>;
  query: PageQueryDto;
  /** Makes an item of the answer. */
  map: (row: Row) => T;
}

/**
 * One page of the documents that match a filter.
 *
 * @param readPreference where the rows are read; by default where the model's are
 * @throws ValidationFailedError (field `cursor`) for anything but a cursor of this list
 */
export async function paginate<Row extends { _id: Types.ObjectId }, T>(
  model: Model<Row>,
  filter: object,
  { readPreference, ...request }: PageRequest<Row, T> & { readPreference?: string },
): Promise<Page<T>> {
  return await readPage(request, (position, limit) =>
    readAfter(request.keyset, position, limit, async (after, count) => {
      const rows = model
        .find({ $and: [filter, after] })
        .sort(keysetSort(request.keyset))
        .limit(count);
      if (readPreference !== undefined) rows.read(readPreference);
      return await rows.lean();
    }),
  );
}

/**
 * The same for rows that `read` finds in another way.
 *
 * @param read up to `limit` rows behind the position, in the keyset's order; from the beginning where it is null
 */
export async function readPage<Row extends { _id: Types.ObjectId }, T>(
  { cursors, list, keyset, query: { limit, cursor }, map }: PageRequest<Row, T>,
  read: (position: Position | null, limit: number) => Promise<Row[]>,
): Promise<Page<T>> {
  const position = cursor === undefined ? null : cursors.decode(list, cursor);
  const rows = await read(position, limit + 1);
  const valueOf = (row: Row) => sortValue(row[keyset.field]);
  return toPage(rows, limit, map, (last) => {
    const value = valueOf(last);
    return cursors.encode(list, { value, id: String(last._id), tied: value === valueOf(rows[0] as Row) });
  });
}

function sortValue(value: unknown): string | number {
  return value instanceof Date ? value.toISOString() : (value as string | number);
}
