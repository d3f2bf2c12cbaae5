import { Types } from 'mongoose';
import type { Position } from './cursor.js';

/** A sort order that is total: by a field, ties by `_id` in the same direction. */
export interface Keyset<Field extends string = string> {
  field: Field;
  descending: boolean;
  type: 'date' | 'number' | 'string' | 'id';
}

export function keysetSort({ field, descending }: Keyset): Record<string, 1 | -1> {
  const direction = descending ? -1 : 1;
  return { [field]: direction, _id: direction };
}

/**
 * The condition "behind this position". The range on the sort key comes first and the ties behind it, so that an
 * index gives both the rows and their order (a bare `$or` of the two cases would not).
 */
export function keysetAfter({ field, descending, type }: Keyset, position: Position | null): object {
  if (!position) return {};
  const [beyond, from] = descending ? ['$lt', '$lte'] : ['$gt', '$gte'];
  const id = new Types.ObjectId(position.id);
  if (type === 'id') return { _id: { [beyond]: id } };
  const value = type === 'date' ? new Date(position.value) : position.value;
  return { [field]: { [from]: value }, $or: [{ [field]: { [beyond]: value } }, { _id: { [beyond]: id } }] };
}
