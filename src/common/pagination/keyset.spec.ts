import { Types } from 'mongoose';
import { type Keyset, keysetAfter, keysetSort, readAfter } from './keyset.js';

const id = '0123456789abcdef01234567';
const objectId = new Types.ObjectId(id);

describe('keysetSort', () => {
  it('orders ties by id, in the same direction', () => {
    expect(keysetSort({ field: 'dueDate', descending: false, type: 'date' })).toEqual({ dueDate: 1, _id: 1 });
    expect(keysetSort({ field: 'dueDate', descending: true, type: 'date' })).toEqual({ dueDate: -1, _id: -1 });
  });
});

describe('keysetAfter', () => {
  it('is no condition at all on the first page', () => {
    expect(keysetAfter({ field: 'dueDate', descending: false, type: 'date' }, null)).toEqual({});
  });

  it('is a range on the sort key first, and the ties behind it', () => {
    const at = new Date('2031-01-01T00:00:00.000Z');
    const position = { value: at.toISOString(), id };
    expect(keysetAfter({ field: 'dueDate', descending: false, type: 'date' }, position)).toEqual({
      dueDate: { $gte: at },
      $or: [{ dueDate: { $gt: at } }, { _id: { $gt: objectId } }],
    });
    expect(keysetAfter({ field: 'dueDate', descending: true, type: 'date' }, position)).toEqual({
      dueDate: { $lte: at },
      $or: [{ dueDate: { $lt: at } }, { _id: { $lt: objectId } }],
    });
  });

  it.each<[Keyset['type'], string | number]>([
    ['number', 2],
    ['string', 'ada@example.org'],
  ])('compares a %s as what it is', (type, value) => {
    expect(keysetAfter({ field: 'key', descending: false, type }, { value, id })).toMatchObject({
      key: { $gte: value },
    });
  });

  it('is a range on the id alone where that is the sort key', () => {
    expect(keysetAfter({ field: '_id', descending: true, type: 'id' }, { value: id, id })).toEqual({
      _id: { $lt: objectId },
    });
  });
});

describe('readAfter', () => {
  const byPriority: Keyset = { field: 'priority', descending: true, type: 'number' };
  const ties = { priority: 2, _id: { $lt: objectId } };
  const beyond = { priority: { $lt: 2 } };

  /** Finds as many rows as it has for a condition; the conditions asked for, with their limits. */
  async function read(tied: boolean, found: number, keyset = byPriority) {
    const asked: [object, number][] = [];
    const rows = await readAfter(keyset, { value: 2, id, tied }, 3, (condition, limit) => {
      asked.push([condition, limit]);
      const count = Math.min(limit, 'priority' in condition && condition.priority === 2 ? found : 10);
      return Promise.resolve(Array.from({ length: count }, (_, row) => `${asked.length}.${row}`));
    });
    return { asked, rows };
  }

  it('asks once where few rows can have the same value', async () => {
    const { asked, rows } = await read(false, 0);
    expect(asked).toEqual([[keysetAfter(byPriority, { value: 2, id }), 3]]);
    expect(rows).toEqual(['1.0', '1.1', '1.2']);
  });

  it('asks for the ties alone while they fill the page', async () => {
    const { asked, rows } = await read(true, 5);
    expect(asked).toEqual([[ties, 3]]);
    expect(rows).toEqual(['1.0', '1.1', '1.2']);
  });

  it.each([
    [1, ['1.0', '2.0', '2.1']],
    [0, ['2.0', '2.1', '2.2']],
  ])('fills a page that has %d ties left with what is beyond them', async (found, expected) => {
    const { asked, rows } = await read(true, found);
    expect(asked).toEqual([
      [ties, 3],
      [beyond, 3 - found],
    ]);
    expect(rows).toEqual(expected);
  });

  it('asks for nothing beyond the last value there is', async () => {
    const { asked, rows } = await read(true, 1, { ...byPriority, last: 2 });
    expect(asked).toEqual([[ties, 3]]);
    expect(rows).toEqual(['1.0']);
  });
});
