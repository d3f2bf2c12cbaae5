import { Types } from 'mongoose';
import type { Position } from './cursor.js';

/** A sort order that is total: by a field, ties by `_id` in the same direction. */
export interface Keyset<Field extends string = string> {
  field: Field;
  descending: boolean;
  type: 'date' | 'number' | 'string' | 'id';
  /** The value behind which no other comes, where there is one. */
  last?: Position['value'];
}

export function keysetSort({ field, descending }: Keyset): Record<string, 1 | -1> {
  const direction = descending ? -1 : 1;
  return { [field]: direction, _id: direction };
}

/**
 * The condition "behind this position". The range on the sort key comes first and the ties behind it, so that an
 * index gives both the rows and their order (a bare `$or` of the two cases would not). The index is walked from the
 * first of the ties on.
 */
export function keysetAfter({ field, descending, type }: Keyset, position: Position | null): object {
  if (!position) return {};
  const { beyond, from } = operators(descending);
  const id = new Types.ObjectId(position.id);
  if (type === 'id') return { _id: { [beyond]: id } };
  const value = valueOf(position, type);
  return { [field]: { [from]: value }, $or: [{ [field]: { [beyond]: value } }, { _id: { [beyond]: id } }] };
}

/**
 * Up to `limit` rows behind a position. Where a whole page had one value of the sort key, thousands of rows may have
 * it, and walking over them would make each page dearer than the one before: there the rest of the ties is asked for
 * by itself, and what is beyond them, if anything can be, only once they don't fill the page.
 *
 * @param find the list's rows of a further condition, in the keyset's order
 */
export async function readAfter<Row>(
  keyset: Keyset,
  position: Position | null,
  limit: number,
  find: (condition: object, limit: number) => Promise<Row[]>,
): Promise<Row[]> {
  if (!position?.tied) return await find(keysetAfter(keyset, position), limit);
  const { field, descending, type, last } = keyset;
  const { beyond } = operators(descending);
  const value = valueOf(position, type);
  const ties = await find({ [field]: value, _id: { [beyond]: new Types.ObjectId(position.id) } }, limit);
  if (ties.length === limit || position.value === last) return ties;
  return [...ties, ...(await find({ [field]: { [beyond]: value } }, limit - ties.length))];
}

function operators(descending: boolean) {
  return descending ? ({ beyond: '$lt', from: '$lte' } as const) : ({ beyond: '$gt', from: '$gte' } as const);
}

function valueOf({ value }: Position, type: Keyset['type']): Date | string | number {
  return type === 'date' ? new Date(value) : value;
}
